//! Texts that try to become something else, in everything that is made of a run or of a night: each
//! product is read by a parser of its language, and what was text must be text.

use report::github::{OWN, annotations, inert, job_summary, night_annotations, night_summary};
use report::record::{Clock, Night, Record};
use report::summary::summary;
use report::{hlog, junit, page};
use roxmltree::{Document, Node};

use crate::{markdown, sample, samples};

/// What somebody may write into a scenario, or call a file.
const HOSTILE: &[&str] = &[
    // HTML: text, attributes, elements whose contents are raw, comments, SVG.
    "</p></main><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)\" x=\"",
    "' onfocus='alert(1)' autofocus='",
    "<img src=x onerror=alert(1)>",
    "</title></style></textarea></pre></noscript><iframe srcdoc='<script>alert(1)</script>'>",
    "--><!-- <![CDATA[ ]]> <?php ?>",
    "</svg><svg/onload=alert(1)><foreignObject><use href='data:,x#y'/>",
    "&lt;script&gt;&#60;b&#x3e;&amp;quot;",
    "javascript:alert(1)//",
    "url(https://example.org/x) } body { display: none } @import 'x';",
    // JSON and scripts.
    "\\\",\"schema\":99,\"x\":\"\\u0000",
    "\u{2028}\u{2029}</script>",
    // Markdown.
    "| a | b |\n|---|---|\n# x\n* y\n> z",
    "[x](https://example.org) ![y](https://example.org/p.png) <https://example.org> @octocat #1",
    "``` \n~~~\n`` ` ```` </code></details>",
    "$\\sqrt{x}$ :smile: GH-1 0123456789abcdef0123456789abcdef01234567",
    // Commands of a runner.
    "::error file=x::y",
    "\n::stop-commands::x\r\n::add-mask::y",
    "##[error]x ##[add-path]/tmp",
    "%0A::set-output name=x::y,title=z:%25",
    // XML.
    "]]></failure></testcase><testcase name='x'/><![CDATA[",
    "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    "\u{0}\u{1}\u{8}\u{b}\u{c}\u{1f}\u{fffe}\u{ffff}",
    // Terminals.
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]8;;https://example.org\u{1b}\\x",
    "\u{9b}31m\u{90}\u{9d}\r\u{8}\u{7f}",
    // What is read otherwise than it is written.
    "a\u{202e}gnp.exe\u{202c}\u{2066}b\u{2069}\u{200b}\u{feff}\u{ad}",
    "../../../../etc/passwd\n../x",
    "--help; rm -rf ~ $(id) `id` && true | tee /x",
    "",
    "\n\r\n\t \u{a0}",
];

/// Of the same length and without a meaning in any language.
fn harmless(text: &str) -> String {
    // Words of commands are elements, and what is between backticks is code.
    text.chars().map(|c| if " `".contains(c) { c } else { 'x' }).collect()
}

/// Whether a character could deceive who reads it, on a terminal or in an editor.
fn deceives(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || "\u{ad}\u{200b}\u{2028}\u{2029}\u{202c}\u{202e}\u{2066}\u{2069}\u{feff}".contains(c)
}

#[test]
fn pages_have_the_structure_that_they_have_without() {
    for text in HOSTILE {
        let other = harmless(text);
        for (page, harmless) in [
            (page::render(&samples::hostile(text)), page::render(&samples::hostile(&other))),
            (page::night(&sample::hostile(text)), page::night(&sample::hostile(&other))),
        ] {
            let (elements, expected) = (elements(&page), elements(&harmless));
            assert!(elements == expected, "{text:?}: {:?}", first(&elements, &expected));
            assert_eq!(page.chars().find(|c| deceives(*c)), None, "{text:?}");
        }
    }
}

/// The first that differs.
fn first<'a>(a: &'a [String], b: &'a [String]) -> Option<(&'a String, &'a String)> {
    a.iter().zip(b).find(|(a, b)| a != b)
}

/// Every tag of a page with the names of its attributes, and every attribute that could lead somewhere
/// or hold code with its value. Reads HTML as a browser does: a comment, or what is between `<style>`
/// and its end, is no tag.
fn elements(page: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        assert!(!rest.starts_with("!--") && !rest.starts_with('?'), "a comment");
        let (tag, after) = tag(rest);
        let name = tag.split(' ').next().unwrap_or_default().to_owned();
        all.push(tag);
        rest = after;
        if name == "style" || name == "script" {
            let end = rest.find(&format!("</{name}")).expect("it ends");
            assert!(!rest[..end].contains("</"), "{name}");
            rest = &rest[end..];
        }
    }
    all
}

/// The tag at the beginning, and what comes behind it.
fn tag(text: &str) -> (String, &str) {
    let mut read = String::new();
    let mut quoted = false;
    let mut value = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' if quoted => {
                quoted = false;
                let attribute = read.rsplit(' ').next().unwrap_or_default();
                let length = read.len() - attribute.len();
                assert!(!attribute.starts_with("on"), "{attribute}");
                match attribute {
                    // What a block holds has a colour.
                    "class=" => {
                        let fits = |c: char| c.is_ascii_alphanumeric() || " -_".contains(c);
                        assert!(value.chars().all(fits), "{value}");
                        read.truncate(length.saturating_sub(1));
                    }
                    "href=" | "src=" | "style=" | "id=" | "d=" => {
                        assert!(!value.contains(':') || attribute == "style=", "{value}");
                        assert!(!value.contains('&'), "{value}");
                        read.push_str(&value);
                    }
                    _ => {}
                }
                value.clear();
            }
            '"' => quoted = true,
            '>' if !quoted => return (read, &text[at + 1..]),
            c if quoted => value.push(c),
            c => {
                assert!(c != '<' && c != '\'', "{read}");
                read.push(c);
            }
        }
    }
    panic!("a tag does not end: {read}")
}

#[test]
fn records_read_back_and_show_nothing_that_deceives() {
    for text in HOSTILE {
        let (record, night) = (samples::hostile(text), sample::hostile(text));
        let (one, other) = (record.to_json(), night.to_json());
        assert_eq!(Record::from_json(&one).unwrap(), record, "{text:?}");
        assert_eq!(Night::from_json(&other).unwrap(), night, "{text:?}");
        for json in [&one, &other] {
            assert_eq!(json.chars().find(|c| deceives(*c)), None, "{text:?}");
            // Printed for a runner it says the same, and commands nothing.
            let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
            let printed = inert(json);
            assert_eq!(read(&printed), read(json), "{text:?}");
            assert!(!printed.contains("##["), "{text:?}");
            assert!(!printed.lines().any(|line| line.trim().starts_with("::")), "{text:?}");
        }
    }
}

#[test]
fn tests_have_the_structure_that_they_have_without() {
    let read = |text: &str, written: &str| -> Vec<String> {
        let document = Document::parse(written).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert_eq!(written.chars().find(|c| deceives(*c)), None, "{text:?}");
        let elements = document.descendants().filter(Node::is_element);
        let name = |node: Node<'_, '_>| {
            let attributes: Vec<_> = node.attributes().map(|one| one.name().to_owned()).collect();
            format!("{} {attributes:?}", node.tag_name().name())
        };
        assert!(document.descendants().all(|node| !node.is_comment() && !node.is_pi()), "{text:?}");
        elements.map(name).collect()
    };
    for text in HOSTILE {
        let other = harmless(text);
        let of_run = |text: &str| junit::junit(&[&samples::hostile(text)]);
        let of_night = |text: &str| junit::night(&sample::hostile(text));
        assert_eq!(read(text, &of_run(text)), read(text, &of_run(&other)), "{text:?}");
        assert_eq!(read(text, &of_night(text)), read(text, &of_night(&other)), "{text:?}");
    }
}

#[test]
fn a_runner_is_told_errors_and_acts_on_nothing_else() {
    for text in HOSTILE {
        let (record, night) = (samples::hostile(text), sample::hostile(text));
        let lines = annotations(&[&record], str::to_owned)
            + &night_annotations(&night, str::to_owned, |_| None, None);
        assert!(2 < lines.lines().count(), "{text:?}: {lines}");
        for line in lines.lines() {
            let (properties, message) =
                line.strip_prefix("::error ").unwrap().split_once("::").expect("it has a message");
            let names: Vec<_> =
                properties.split(',').map(|one| one.split_once('=').unwrap().0).collect();
            let known: [&[&str]; 3] = [&["file", "line", "title"], &["file", "title"], &["title"]];
            assert!(known.contains(&&names[..]), "{text:?}: {line}");
            assert!(!message.is_empty() || text.is_empty(), "{text:?}: {line}");
            assert!(!line.contains(deceives), "{text:?}: {line}");
            let escapes = line.split('%').skip(1);
            let known = |rest: &str| ["25", "0A", "0D", "3A", "2C"].contains(&&rest[..2]);
            assert!(escapes.clone().all(known), "{text:?}: {line}");
        }
    }
}

#[test]
fn a_job_summary_has_text_in_code_only() {
    for text in HOSTILE {
        let pages = [
            job_summary(&[&samples::hostile(text)], OWN).unwrap(),
            night_summary(&sample::hostile(text), OWN, None).unwrap(),
        ];
        let others = [
            job_summary(&[&samples::hostile(&harmless(text))], OWN).unwrap(),
            night_summary(&sample::hostile(&harmless(text)), OWN, None).unwrap(),
        ];
        for (page, other) in pages.iter().zip(&others) {
            let (outside, expected) =
                (markdown::outside_of_code(page), markdown::outside_of_code(other));
            // An empty text is told by a word, and not by code.
            let blank = text.trim().is_empty();
            assert!(blank || outside == expected, "{text:?}: {outside}\n---\n{expected}");
            assert!(!outside.contains(['<', '@', '[', '!', '$', '\\', '&']), "{text:?}: {outside}");
            assert!(!page.contains(deceives), "{text:?}");
            for row in page.lines().filter(|line| line.starts_with('|')) {
                assert!([6, 7].contains(&row.matches('|').count()), "{text:?}: {row}");
            }
        }
    }
}

#[test]
fn logs_and_terminals_get_lines_that_are_theirs() {
    for text in HOSTILE {
        let mut record = samples::hostile(text);
        record.latency.clock = Clock::Wall;
        let logs = [hlog::log(&record).unwrap(), hlog::night(&sample::hostile(text)).unwrap()];
        for line in logs.iter().flat_map(|log| log.lines()) {
            let fields = line.split(',').count();
            let is_comment = line.starts_with('#') || line.starts_with('"');
            assert!(is_comment || (line.starts_with("Tag=") && fields == 5), "{text:?}: {line}");
            assert!(line.is_ascii() && !line.contains(deceives), "{text:?}: {line}");
        }
        assert_eq!(summary(&record).chars().find(|c| deceives(*c)), None, "{text:?}");
    }
}

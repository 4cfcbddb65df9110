//! Builds XML in which text can only be text.
//!
//! Names of elements and attributes have to be `&'static str`, so they are written in this crate's
//! source. Whatever was computed or read is escaped, and characters that XML 1.0 forbids are written
//! out, as on every other output.

use crate::visible;

/// A document, or a part of one.
#[derive(Debug)]
pub(crate) struct Xml {
    written: String,
    depth: usize,
}

impl Xml {
    /// A document around what `inside` adds: one element, in UTF-8.
    pub(crate) fn document(inside: impl FnOnce(&mut Xml)) -> String {
        let written = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        let mut xml = Xml { written, depth: 0 };
        inside(&mut xml);
        xml.written
    }

    /// An element around other elements.
    pub(crate) fn element(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Xml),
    ) {
        self.open(name, attributes);
        self.written.push_str(">\n");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.indent();
        self.close(name);
    }

    /// An element around text, which may be empty.
    pub(crate) fn leaf(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        text: &str,
    ) {
        self.open(name, attributes);
        if text.is_empty() {
            self.written.push_str("/>\n");
            return;
        }
        self.written.push('>');
        self.escape(&visible::block(text));
        self.close(name);
    }

    fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.indent();
        self.written.push('<');
        self.written.push_str(name);
        for (attribute, value) in attributes {
            self.written.extend([" ", attribute, "=\""]);
            self.escape(&visible::line(value));
            self.written.push('"');
        }
    }

    fn close(&mut self, name: &'static str) {
        self.written.extend(["</", name, ">\n"]);
    }

    fn indent(&mut self) {
        self.written.push_str(&"  ".repeat(self.depth));
    }

    /// Control characters are visible already; two more are no characters of XML.
    fn escape(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.written.push_str("&amp;"),
                '<' => self.written.push_str("&lt;"),
                '>' => self.written.push_str("&gt;"),
                '"' => self.written.push_str("&quot;"),
                '\'' => self.written.push_str("&#39;"),
                '\u{fffe}' | '\u{ffff}' => self.written.extend(character.escape_unicode()),
                other => self.written.push(other),
            }
        }
    }
}

//! Builds HTML in which text can only be text.
//!
//! Markup has to be `&'static str`, so it is written in this crate's source. Everything that was
//! computed or read goes through [`Html::text`], [`Html::block`] or an attribute value, and those
//! escape.

use crate::visible;

/// Markup and text that has been escaped.
#[derive(Debug, Default)]
pub(super) struct Html {
    written: String,
}

impl Html {
    /// Adds markup of this crate.
    pub(super) fn markup(&mut self, markup: &'static str) {
        self.written.push_str(markup);
    }

    /// Adds text that is shown on one line.
    pub(super) fn text(&mut self, text: &str) {
        self.escape(&visible::line(text));
    }

    /// Adds text that keeps its line breaks.
    pub(super) fn block(&mut self, text: &str) {
        self.escape(&visible::block(text));
    }

    /// Adds an element without contents.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: &[(&'static str, &str)]) {
        self.written.push('<');
        self.written.push_str(tag);
        for (name, value) in attributes {
            self.written.push(' ');
            self.written.push_str(name);
            self.written.push_str("=\"");
            self.text(value);
            self.written.push('"');
        }
        self.written.push('>');
    }

    /// Adds an element around what `inside` adds.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: &[(&'static str, &str)],
        inside: impl FnOnce(&mut Html),
    ) {
        self.empty(tag, attributes);
        inside(self);
        self.written.push_str("</");
        self.written.push_str(tag);
        self.written.push('>');
    }

    /// Adds an element of a class around text. An empty class is left out.
    pub(super) fn line(&mut self, tag: &'static str, class: &'static str, text: &str) {
        let attributes = [("class", class)];
        let attributes: &[_] = if class.is_empty() { &[] } else { &attributes };
        self.element(tag, attributes, |html| html.text(text));
    }

    /// A section of the page with its heading, which links and screen readers find by `id`.
    pub(super) fn section(
        &mut self,
        id: &'static str,
        title: &'static str,
        inside: impl FnOnce(&mut Html),
    ) {
        let heading = format!("{id}-title");
        self.element("section", &[("id", id), ("aria-labelledby", &heading)], |html| {
            html.element("h2", &[("id", &heading)], |html| html.text(title));
            inside(html);
        });
        self.markup("\n");
    }

    /// A command to copy: one click selects all of it. Its words are elements, so that a line
    /// that is too long breaks between them and not behind the dashes of an option.
    pub(super) fn command(&mut self, label: &'static str, command: &str) {
        self.element("div", &[("class", "command")], |html| {
            html.line("span", "label", label);
            html.element("code", &[], |html| {
                for (index, word) in command.split(' ').enumerate() {
                    html.markup(if index == 0 { "" } else { " " });
                    html.line("span", "", word);
                }
            });
        });
    }

    /// How many bytes it has so far.
    pub(super) fn len(&self) -> usize {
        self.written.len()
    }

    /// The page as text.
    pub(super) fn finish(self) -> String {
        self.written
    }

    fn escape(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.written.push_str("&amp;"),
                '<' => self.written.push_str("&lt;"),
                '>' => self.written.push_str("&gt;"),
                '"' => self.written.push_str("&quot;"),
                '\'' => self.written.push_str("&#39;"),
                other => self.written.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn text_and_attributes_are_escaped() {
        let hostile = "</p><script>\"'&\n\u{2028}";
        let mut html = Html::default();
        html.element("p", &[("title", hostile)], |html| html.text(hostile));
        let text = r"&lt;/p&gt;&lt;script&gt;&quot;&#39;&amp;\n\u{2028}";
        assert_eq!(html.finish(), format!("<p title=\"{text}\">{text}</p>"));
    }

    #[test]
    fn blocks_keep_their_lines() {
        let mut html = Html::default();
        html.element("pre", &[], |html| html.block("a\n\t<b>\u{7}"));
        assert_eq!(html.finish(), "<pre>a\n\t&lt;b&gt;\\u{7}</pre>");
    }
}

//! What every page has around its contents: the head with the policy and the style, the way past the
//! header, and the one script, where there is something to step through.

use super::html::Html;

/// A page of this title. `inside` adds what is in its body, and says whether it needs the script.
pub(super) fn page(title: &str, inside: impl FnOnce(&mut Html) -> bool) -> String {
    let mut html = Html::default();
    html.markup("<!doctype html>\n");
    html.element("html", &[("lang", "en")], |html| {
        head(html, title);
        html.element("body", &[], |html| {
            html.markup("<a class=\"skip\" href=\"#main\">Skip to the verdict</a>\n");
            if inside(html) {
                html.markup(concat!("<script>", include_str!("failure/page.js"), "</script>\n"));
            }
        });
    });
    html.markup("\n");
    html.finish()
}

/// The policy forbids everything but the style and the script in the page, which it names by its hash, so
/// that even a mistake in escaping could neither run another script nor fetch anything.
fn head(html: &mut Html, title: &str) {
    html.element("head", &[], |html| {
        html.markup(concat!(
            "\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; ",
            "script-src 'sha256-n38BXspIDKwHdFC3En5uOM2AEeVqT060xJFx1/fnZSQ='\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<meta name=\"referrer\" content=\"no-referrer\">\n",
        ));
        html.line("title", "", title);
        html.markup(concat!(
            "\n<style>\n",
            include_str!("page.css"),
            include_str!("failure/failure.css"),
            "</style>\n"
        ));
    });
    html.markup("\n");
}

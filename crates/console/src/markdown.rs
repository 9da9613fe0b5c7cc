//! Texts in Markdown as HTML.
//!
//! **Invariant:** HTML in the text is shown as text, and all links lead to `http`, `https`, `mailto`, or pages of the console.

use askama::filters::Safe;
use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

use crate::url;

/// Schemes that links may have.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Prefix of the anchors of headings, which keeps them apart from the page's own.
const ANCHOR: &str = "text-";

/// The file that contains the text; relative links lead from there to other files of its commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'o> {
    pub(crate) repository: &'o str,
    pub(crate) reference: &'o str,
    /// The folder of the file; empty for the root.
    pub(crate) folder: &'o str,
}

/// Where a link leads.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    External(String),
    /// Path of a file in the repository, and an anchor in it.
    File(String, String),
    /// Anchor in the text itself.
    Anchor(String),
}

/// Writes a text as HTML. The largest heading becomes one of the third level, as pages have two above it.
pub(crate) fn html(text: &str, origin: Origin<'_>) -> Safe<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events: Vec<Event<'_>> = Parser::new_ext(text, options).collect();
    let anchors = heading_anchors(&events);
    let mut writer = Writer { origin, anchors: anchors.into_iter(), links: Vec::new(), images: Vec::new() };
    let mut written = String::with_capacity(text.len() * 2);
    html::push_html(&mut written, events.into_iter().filter_map(|event| writer.change(event)));
    Safe(written)
}

/// Returns an anchor for each heading, made of its words.
fn heading_anchors(events: &[Event<'_>]) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut current: Option<String> = None;
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => current = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => anchors.extend(current.take().map(|words| anchor(&words))),
            Event::Text(text) | Event::Code(text) => {
                if let Some(words) = &mut current {
                    words.push_str(text);
                }
            }
            _ => {}
        }
    }
    anchors
}

/// Returns the anchor of a heading, as other hosts of repositories write it.
fn anchor(words: &str) -> String {
    let letters = words.trim().chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).flat_map(char::to_lowercase).collect()
}

struct Writer<'o> {
    origin: Origin<'o>,
    anchors: std::vec::IntoIter<String>,
    /// For each open link, whether it is written.
    links: Vec<bool>,
    /// For each open image, the tag that ends it; `None` if only its text is written.
    images: Vec<Option<TagEnd>>,
}

impl Writer<'_> {
    fn change<'e>(&mut self, event: Event<'e>) -> Option<Event<'e>> {
        Some(match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
            Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
            // The alignment of columns would be an inline style.
            Event::Start(Tag::Table(columns)) => Event::Start(Tag::Table(vec![Alignment::None; columns.len()])),
            Event::TaskListMarker(is_done) => {
                Event::Text(if is_done { "\u{2611} ".into() } else { "\u{2610} ".into() })
            }
            Event::Start(Tag::Heading { level, .. }) => {
                let id = self.anchors.next().filter(|anchor| !anchor.is_empty());
                let id = id.map(|anchor| CowStr::from(format!("{ANCHOR}{anchor}")));
                Event::Start(Tag::Heading { level: lowered(level), id, classes: Vec::new(), attrs: Vec::new() })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lowered(level))),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let address = target(&dest_url, self.origin.folder).map(|target| self.address(target, "code"));
                let address = address.filter(|_| !self.links.contains(&true));
                self.links.push(address.is_some());
                link(address?)
            }
            Event::End(TagEnd::Link) => {
                if !self.links.pop().unwrap_or_default() {
                    return None;
                }
                Event::End(TagEnd::Link)
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let (start, end) = self.image(&dest_url);
                self.images.push(end);
                return start;
            }
            Event::End(TagEnd::Image) => Event::End(self.images.pop().flatten()?),
            other => other,
        })
    }

    /// Images of the repository are shown; others become links, because the browser may load nothing of other sites.
    fn image(&self, address: &str) -> (Option<Event<'static>>, Option<TagEnd>) {
        match target(address, self.origin.folder) {
            Some(target @ Target::File(..)) => {
                let dest_url = self.address(target, "raw").into();
                let image = Tag::Image { link_type: LinkType::Inline, dest_url, title: "".into(), id: "".into() };
                (Some(Event::Start(image)), Some(TagEnd::Image))
            }
            Some(Target::External(address)) if !self.links.contains(&true) => (Some(link(address)), Some(TagEnd::Link)),
            _ => (None, None),
        }
    }

    fn address(&self, target: Target, page: &str) -> String {
        let Origin { repository, reference, .. } = self.origin;
        match target {
            Target::External(address) => address,
            Target::Anchor(anchor) => format!("#{ANCHOR}{}", url::escape(&anchor)),
            Target::File(path, anchor) => {
                let address = url::repository_with(repository, page, &[("ref", reference), ("path", &path)]);
                let is_line =
                    anchor.strip_prefix('L').is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()));
                match anchor.as_str() {
                    "" => address,
                    _ if is_line => format!("{address}#{}", url::escape(&anchor)),
                    _ => format!("{address}#{ANCHOR}{}", url::escape(&anchor)),
                }
            }
        }
    }
}

fn link(address: String) -> Event<'static> {
    let dest_url = address.into();
    Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title: "".into(), id: "".into() })
}

const fn lowered(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

/// Reads the target of a link; `None` if it may not be followed.
fn target(address: &str, folder: &str) -> Option<Target> {
    // Browsers skip these characters, so `java\nscript:` is a scheme for them.
    let address: String = address.chars().filter(|letter| !letter.is_control() && !letter.is_whitespace()).collect();
    let end = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
    if let Some((scheme, rest)) = address[..end].split_once(':') {
        let is_allowed = SCHEMES.iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed));
        let has_content = !rest.is_empty() || address.len() > end;
        return (is_allowed && has_content).then_some(Target::External(address));
    }
    // Two slashes lead to another host.
    if address.starts_with(['/', '\\']) && address[1..].starts_with(['/', '\\']) {
        return None;
    }
    let (path, anchor) = address.split_once('#').unwrap_or((&address, ""));
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() {
        return Some(Target::Anchor(anchor.to_owned()));
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let base = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(Target::File(parts.join("/"), anchor.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        html(text, Origin { repository: "MyDemoRepo", reference: "main", folder: "docs" }).0
    }

    #[test]
    fn html_is_shown_as_text() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div onclick=\"alert(1)\">\n\n*a*\n\n</div>",
            "<!-- <script>alert(1)</script> -->",
            "<svg><script>alert(1)</script></svg>",
            "`<script>`",
            "```html\n<script>alert(1)</script>\n```",
            "    <script>alert(1)</script>",
            "# <script>alert(1)</script>",
            "| <script> |\n| --- |\n| <img onerror=x> |",
            "<a href=\"javascript:alert(1)\">x</a>",
        ] {
            let html = written(text);
            for part in ["<script", "<img", "<div onclick", "<svg", "<!--", "<a "] {
                assert!(!html.contains(part), "{text}: {html}");
            }
        }
    }

    #[test]
    fn links_run_no_code_in_any_spelling() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#10;script:alert(1)",
            "java&Tab;script:alert(1)",
            "&#1;javascript:alert(1)",
            "&#x6A;avascript&colon;alert(1)",
            "javascript&#58;alert(1)",
            "vbscript:msgbox(1)",
            "data:text/html,<script>alert(1)</script>",
            "file:///etc/passwd",
            "blob:x",
            "//evil.example/x",
            "\\\\\\\\evil.example/x",
            "/\\\\evil.example/x",
        ] {
            for text in [
                format!("[a]({address})"),
                format!("[a](<{address}>)"),
                format!("![a]({address})"),
                format!("[a][b]\n\n[b]: {address}"),
            ] {
                let html = written(&text);
                assert!(!html.contains("href") && !html.contains("src"), "{text}: {html}");
            }
        }
        assert!(!written("<javascript:alert(1)>").contains("href"));
    }

    #[test]
    fn links_lead_to_files_of_the_commit() {
        let page = "/_console/repositories/MyDemoRepo";
        for (text, expected) in [
            ("[a](other.md)", format!("<a href=\"{page}/code?ref=main&amp;path=docs%2Fother.md\">a</a>")),
            ("[a](../src/x.rs#L3)", format!("<a href=\"{page}/code?ref=main&amp;path=src%2Fx.rs#L3\">a</a>")),
            ("[a](/top.md)", format!("<a href=\"{page}/code?ref=main&amp;path=top.md\">a</a>")),
            ("[a](../../../../etc)", format!("<a href=\"{page}/code?ref=main&amp;path=etc\">a</a>")),
            ("[a](#b-c)", "<a href=\"#text-b-c\">a</a>".to_owned()),
            ("[a](https://example.com/?a=1)", "<a href=\"https://example.com/?a=1\">a</a>".to_owned()),
            ("[a](MAILTO:a@example.com)", "<a href=\"MAILTO:a@example.com\">a</a>".to_owned()),
            ("![a](x.png)", format!("<img src=\"{page}/raw?ref=main&amp;path=docs%2Fx.png\" alt=\"a\" />")),
            ("![a](https://example.com/x.png)", "<a href=\"https://example.com/x.png\">a</a>".to_owned()),
            (
                "[![a](https://example.com/x.png)](https://example.com)",
                "<a href=\"https://example.com\">a</a>".to_owned(),
            ),
        ] {
            assert_eq!(written(text), format!("<p>{expected}</p>\n"), "{text}");
        }
    }

    #[test]
    fn headings_have_anchors_and_tables_no_styles() {
        assert_eq!(written("# A `b` C!\n"), "<h3 id=\"text-a-b-c\">A <code>b</code> C!</h3>\n");
        let table = written("| a | b |\n| :-: | --: |\n| 1 | 2 |\n");
        assert!(table.contains("<table>") && !table.contains("style"), "{table}");
        let tasks = written("- [x] done\n- [ ] open\n");
        assert!(tasks.contains("\u{2611} done") && !tasks.contains("<input"), "{tasks}");
    }
}

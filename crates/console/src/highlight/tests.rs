use proptest::prelude::*;

use super::*;

/// Returns the tokens that are not plain, as `class text`.
fn tokens(path: &str, text: &str) -> Vec<String> {
    let lines = highlight(path, text);
    let spans = lines.iter().flat_map(|line| &line.spans).filter(|span| span.token != Token::Plain);
    spans.map(|span| format!("{} {}", &span.token.class()[2..], span.text)).collect()
}

/// Returns the path of a file in a language.
fn path_of(language: &Language) -> String {
    format!("a.{}", language.extensions.split(' ').next().unwrap_or_default())
}

fn joined(text: &str, lines: &[Line<'_>]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| line.spans.iter().map(|span| span.text).collect()).collect();
    let end = if text.ends_with('\n') { "\n" } else { "" };
    lines.join("\n") + end
}

#[test]
fn rust_has_lifetimes_characters_and_raw_strings() {
    let text = "fn main(x: &'a u8) { let s = r#\"\"x\"\"#; // end\n  'x'; '\\''; 0xFFu8; 1..2 }";
    let expected = [
        "keyword fn",
        "function main",
        "type 'a",
        "type u8",
        "keyword let",
        "string r#\"\"x\"\"#",
        "comment // end",
        "string 'x'",
        "string '\\''",
        "number 0xFFu8",
        "number 1",
        "number 2",
    ];
    assert_eq!(tokens("src/main.rs", text), expected);
}

#[test]
fn python_has_strings_of_several_lines() {
    let text = "@cached\ndef f(x: int):\n    \"\"\"One\n    two\"\"\"\n    return None # no\n";
    let expected = [
        "function @cached",
        "keyword def",
        "function f",
        "type int",
        "string \"\"\"One",
        "string     two\"\"\"",
        "keyword return",
        "keyword None",
        "comment # no",
    ];
    assert_eq!(tokens("a.py", text), expected);
}

#[test]
fn keys_of_json_yaml_and_toml_are_not_values() {
    assert_eq!(
        tokens("a.json", "{\"a\": \"b\", \"c\" : [1.5e-3, true]}"),
        ["type \"a\"", "string \"b\"", "type \"c\"", "number 1.5e-3", "keyword true"]
    );
    assert_eq!(
        tokens("a.yml", "on:\n  - name: http://x # no\n    run-it: \"y\"\n"),
        ["type on", "type name", "comment # no", "type run-it", "string \"y\""]
    );
    assert_eq!(
        tokens("Cargo.toml", "[a.b]\nkey-1 = 'x'\nother = true"),
        ["keyword [a.b]", "type key-1", "string 'x'", "type other", "keyword true"]
    );
}

#[test]
fn shells_have_variables_and_comments_after_spaces() {
    let text = "#!/bin/sh\nfor x in \"$@\"; do echo ${x} $x a#b; done # end\n";
    let expected = [
        "comment #!/bin/sh",
        "keyword for",
        "keyword in",
        "string \"$@\"",
        "keyword do",
        "keyword echo",
        "type ${x}",
        "type $x",
        "keyword done",
        "comment # end",
    ];
    assert_eq!(tokens("run", text), expected);
}

#[test]
fn markup_has_tags_attributes_and_code() {
    let text = "<!-- c --><a href=\"x\">&amp; 1 < 2</a><script>let x = 1</script>";
    let expected = [
        "comment <!-- c -->",
        "keyword <a",
        "type href",
        "string \"x\"",
        "keyword >",
        "number &amp;",
        "keyword </a",
        "keyword >",
        "keyword <script",
        "keyword >",
        "keyword let",
        "number 1",
        "keyword </script",
        "keyword >",
    ];
    assert_eq!(tokens("index.html", text), expected);
}

#[test]
fn markdown_has_headings_lists_and_code() {
    let text = "# Title\n- a `b` c\n```sh\n# not a heading\n```\n> quote\n";
    let expected = [
        "keyword # Title",
        "keyword -",
        "string `b`",
        "string ```sh",
        "string # not a heading",
        "string ```",
        "comment > quote",
    ];
    assert_eq!(tokens("README.md", text), expected);
}

#[test]
fn words_of_sql_are_of_either_case() {
    assert_eq!(tokens("a.sql", "SELECT x from t -- c"), ["keyword SELECT", "keyword from", "comment -- c"]);
}

#[test]
fn a_file_is_known_by_its_name_or_its_first_line() {
    assert_eq!(tokens("docker/Dockerfile.test", "FROM x"), ["keyword FROM"]);
    assert_eq!(
        tokens("bin/run", "#!/usr/bin/env python3\nimport x"),
        ["comment #!/usr/bin/env python3", "keyword import"]
    );
    assert!(tokens("notes.txt", "let x = 1").is_empty());
}

#[test]
fn html_is_escaped() {
    let lines = highlight("a.js", "let a = '<&>' // \"");
    let expected = "<span class=\"t-keyword\">let</span> a = <span class=\"t-string\">&#39;&lt;&amp;&gt;&#39;</span> \
                    <span class=\"t-comment\">// &quot;</span>";
    assert_eq!(lines[0].html().0, expected);
}

#[test]
fn the_table_names_each_extension_once() {
    let mut extensions: Vec<&str> = Vec::new();
    for language in languages::ALL {
        extensions.extend(language.extensions.split(' '));
        let words = [language.keywords, language.types].concat();
        assert!(language.capitals != language::Capitals::Ignored || words == words.to_ascii_lowercase(), "{words}");
    }
    let count = extensions.len();
    extensions.sort_unstable();
    extensions.dedup();
    assert_eq!(extensions.len(), count);
}

/// A lexer that searched to the end of these texts again and again would take minutes.
#[test]
fn hostile_texts_are_read_in_linear_time() {
    let pieces = [
        "\"", "'", "`", "/*", "<!--", "<a ", "&", "r#\"", "r####", "${", "((", "[[", "\\", "'''", "\"\"\"", "a:", "ä",
        "0", "\n", " ", "1e", "<script>",
    ];
    for language in languages::ALL {
        for piece in pieces {
            let text = piece.repeat((4 << 10) / piece.len());
            let path = path_of(language);
            assert_eq!(joined(&text, &highlight(&path, &text)), text);
        }
    }
}

proptest! {
    #[test]
    fn no_character_is_lost(language in 0..languages::ALL.len(), text in "([a-z\"'`/*#<>&;:={}\\[\\]()$@\\\\0-9.eräß€\n\r\t -]|/\\*|\\*/|\"\"\"|r#\"|<!--|-->){0,80}") {
        let path = path_of(languages::ALL[language]);
        prop_assert_eq!(joined(&text, &highlight(&path, &text)), text);
    }
}

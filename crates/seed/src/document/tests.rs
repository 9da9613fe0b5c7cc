use super::*;

fn fault(text: &str) -> String {
    let read = DocumentFile::parse("seed.toml".into(), text.to_owned());
    read.expect_err("the file has a fault").to_string()
}

#[test]
fn a_fault_names_the_line_and_what_to_write() {
    for (text, expected) in [
        (
            "[[repository]]\nname = \"a\"\n\ndescripton = \"b\"",
            "cannot use the seed: 'seed.toml' line 4: unknown key `descripton`; did you mean `description`?",
        ),
        (
            "[defaults]\ncolour = 1",
            "line 2: unknown key `colour`; write one of date, author, commit-author, commit-message",
        ),
        ("[[repository]]\nname = \"a\"\naccount = \"1\"", "line 3: "),
        ("[[repository]]\ndescription = \"a\"", "line 1: missing field `name`"),
        ("[defaults]\ndate = 2026-01-31", "line 2: '2026-01-31' is no point in time; write a date with a time in UTC"),
        ("[defaults\n", "line 1: "),
    ] {
        let fault = fault(text);
        assert!(fault.contains(expected), "{fault}");
    }
}

#[test]
fn dates_have_milliseconds() {
    let text = "[defaults]\ndate = 2016-12-14T18:19:14.262Z";
    let read = DocumentFile::parse("seed.toml".into(), text.to_owned()).expect("the file has no fault");
    assert_eq!(read.content.defaults.date.map(|Date(date)| date.millis()), Some(1_481_739_554_262));
}

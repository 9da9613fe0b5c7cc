//! The resolution of conflicts that a form has.
//!
//! Each file has a field `path` and, by its position, `file-N`: `hunks`, `source`, `destination` or `merged`. The choice for a hunk is
//! `hunk-N-H`: `source`, `destination`, `both` or `own` with the text `own-N-H`. The mode of a file is `mode-N`.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::conflicts::{ConflictedFile, Conflicts, MergeHunk};
use crate::form::Form;

/// Reads the choices and returns a `ConflictResolution`, or a sentence about a choice that is missing.
pub(super) fn read(form: &Form, conflicts: &Conflicts) -> Result<Value, String> {
    let fields: HashMap<&str, &str> = form.pairs().collect();
    let field = |name: String| fields.get(name.as_str()).copied().unwrap_or_default();
    let positions: HashMap<&str, usize> =
        form.pairs().filter(|(name, _)| *name == "path").enumerate().map(|(index, (_, path))| (path, index)).collect();
    let (mut replaced, mut modes) = (Vec::new(), Vec::new());
    for file in &conflicts.files {
        let path = file.metadata.file_path.as_str();
        let missing = || format!("Choose a version of {path}.");
        let position = positions.get(path).ok_or_else(missing)?;
        let mode = Some(field(format!("mode-{position}"))).filter(|mode| !mode.is_empty());
        let mut entry = match field(format!("file-{position}")) {
            "source" => json!({ "filePath": path, "replacementType": "KEEP_SOURCE" }),
            "destination" => json!({ "filePath": path, "replacementType": "KEEP_DESTINATION" }),
            "merged" => {
                modes.push(json!({ "filePath": path, "fileMode": mode.ok_or_else(missing)? }));
                continue;
            }
            "hunks" => {
                let choice =
                    |hunk: usize| (field(format!("hunk-{position}-{hunk}")), field(format!("own-{position}-{hunk}")));
                let content = STANDARD.encode(content(file, choice)?);
                json!({ "filePath": path, "replacementType": "USE_NEW_CONTENT", "content": content, "fileMode": mode })
            }
            _ => return Err(missing()),
        };
        if entry["fileMode"].is_null() {
            entry.as_object_mut().map(|members| members.remove("fileMode"));
        }
        replaced.push(entry);
    }
    Ok(json!({ "replaceContents": replaced, "setFileModes": modes }))
}

/// Joins the parts of a file, each conflict as chosen; `choice` returns the choice for a hunk and the reader's own text.
fn content<'c>(file: &ConflictedFile, choice: impl Fn(usize) -> (&'c str, &'c str)) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut conflict = 0;
    for (number, hunk) in file.hunks.iter().enumerate() {
        if !hunk.is_conflict {
            content.extend_from_slice(hunk.merged());
            continue;
        }
        conflict += 1;
        let (source, destination) = (&hunk.source.hunk_content, &hunk.destination.hunk_content);
        match choice(number) {
            ("source", _) => content.extend_from_slice(source),
            ("destination", _) => content.extend_from_slice(destination),
            ("both", _) => {
                content.extend_from_slice(destination);
                end_line(&mut content);
                content.extend_from_slice(source);
            }
            ("own", text) => {
                content.extend_from_slice(&own(text, hunk));
                // The text of a form may lack the line break that separates it from what follows.
                if !text.is_empty() && number + 1 < file.hunks.len() {
                    end_line(&mut content);
                }
            }
            _ => return Err(format!("Choose a version of conflict {conflict} of {}.", file.metadata.file_path)),
        }
    }
    Ok(content)
}

/// Returns a text of the form with the line ends of the file: browsers send all as `\r\n`.
fn own(text: &str, hunk: &MergeHunk) -> Vec<u8> {
    let sides = [&hunk.destination.hunk_content, &hunk.source.hunk_content];
    let is_crlf = sides.into_iter().any(|side| side.windows(2).any(|pair| pair == b"\r\n"));
    let text = text.replace("\r\n", "\n");
    if is_crlf { text.replace('\n', "\r\n").into_bytes() } else { text.into_bytes() }
}

fn end_line(content: &mut Vec<u8>) {
    if content.last().is_some_and(|byte| *byte != b'\n') {
        content.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(hunks: &[(&str, &str, &str)]) -> ConflictedFile {
        let hunk = |(base, destination, source): &(&str, &str, &str)| {
            let side = |text: &str| json!({ "startLine": 0, "endLine": 0, "hunkContent": STANDARD.encode(text) });
            let is_conflict = base != destination && base != source;
            let sides = json!({
                "isConflict": is_conflict, "source": side(source), "destination": side(destination), "base": side(base),
            });
            serde_json::from_value(sides).expect("the hunk is complete")
        };
        let metadata = serde_json::from_value(json!({ "filePath": "a.txt" })).expect("the metadata are complete");
        ConflictedFile { metadata, hunks: hunks.iter().map(hunk).collect() }
    }

    fn chosen(file: &ConflictedFile, choices: &[(&str, &str)]) -> Result<String, String> {
        let conflicts: Vec<_> =
            (0..file.hunks.len()).filter(|number| file.hunks[*number].is_conflict).zip(choices).collect();
        let choice = |number: usize| {
            conflicts.iter().find(|(conflict, _)| *conflict == number).map_or(("", ""), |(_, choice)| **choice)
        };
        content(file, choice).map(|content| String::from_utf8(content).expect("the texts are UTF-8"))
    }

    #[test]
    fn parts_that_one_side_changed_are_kept_and_conflicts_are_chosen() {
        let file = file(&[
            ("a\n", "a\n", "a\n"),
            ("b\n", "B\n", "b\n"),
            ("c\n", "1\n", "2\n"),
            ("d\n", "d\n", "D\n"),
            ("e\n", "3\n", "4\n"),
        ]);
        for (first, second, expected) in [
            (("source", ""), ("destination", ""), "a\nB\n2\nD\n3\n"),
            (("both", ""), ("both", ""), "a\nB\n1\n2\nD\n3\n4\n"),
            (("own", "x\r\ny"), ("own", ""), "a\nB\nx\ny\nD\n"),
        ] {
            assert_eq!(chosen(&file, &[first, second]).as_deref(), Ok(expected));
        }
        assert_eq!(chosen(&file, &[("source", "")]), Err("Choose a version of conflict 2 of a.txt.".to_owned()));
    }

    #[test]
    fn line_ends_are_those_of_the_file() {
        let file = file(&[("a\r\n", "1\r\n", "2\r\n"), ("z", "z", "z")]);
        assert_eq!(chosen(&file, &[("own", "x\r\ny\r\n")]).as_deref(), Ok("x\r\ny\r\nz"));
        assert_eq!(chosen(&file, &[("both", "")]).as_deref(), Ok("1\r\n2\r\nz"));
    }
}

//! The status report that ends a push: `report-status`.

use bstr::ByteVec;

use super::Command;
use crate::pktline;

/// Renders a report: whether the objects were stored, then the result of each command in order.
pub(super) fn render(commands: &[Command], unpack: &Result<(), String>, results: &[Result<(), String>]) -> Vec<u8> {
    let mut out = Vec::new();
    let first = match unpack {
        Ok(()) => "unpack ok\n".to_owned(),
        Err(reason) => format!("unpack {}\n", one_line(reason)),
    };
    pktline::write(&mut out, first.as_bytes());
    for (command, result) in commands.iter().zip(results) {
        let mut line = if result.is_ok() { b"ok ".to_vec() } else { b"ng ".to_vec() };
        line.push_str(&command.name);
        if let Err(reason) = result {
            line.push_str(b" ");
            line.push_str(one_line(reason));
        }
        line.push_str(b"\n");
        pktline::write(&mut out, &line);
    }
    out.extend_from_slice(pktline::FLUSH);
    out
}

/// Makes a reason fit into one line: no control characters, at most 1,000 characters.
fn one_line(text: &str) -> String {
    text.chars().take(1000).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::ObjectId;

    #[test]
    fn a_report_has_a_line_for_each_command() {
        let null = ObjectId::null(gix::hash::Kind::Sha1);
        let command = |name: &str| Command { name: name.into(), old: null, new: null };
        let report =
            render(&[command("refs/heads/a"), command("refs/heads/b")], &Ok(()), &[Ok(()), Err("a\nb".into())]);
        assert_eq!(report, b"000eunpack ok\n0014ok refs/heads/a\n0018ng refs/heads/b a b\n0000");
        let report = render(&[], &Err("x".into()), &[]);
        assert_eq!(report, b"000dunpack x\n0000");
    }
}

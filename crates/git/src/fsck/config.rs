//! Reading Git's configuration format.
//!
//! Variables are told as they come: those before a fault count, as they do for Git.

/// The rest of a file, read byte by byte; its end reads as line ends without end.
struct Source<'d> {
    rest: &'d [u8],
    ended: bool,
}

impl Source<'_> {
    fn next(&mut self) -> u8 {
        let Some((&byte, rest)) = self.rest.split_first() else {
            self.ended = true;
            return b'\n';
        };
        self.rest = rest;
        if byte == b'\r' && rest.first() == Some(&b'\n') {
            return self.next();
        }
        byte
    }
}

/// A fault of the format, or of a variable's.
enum Stop<E> {
    Malformed,
    Told(E),
}

/// Takes a variable: its name, which for Git ends at a zero byte, and its value if it has one.
type Tell<'t, E> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), E> + 't;

/// Hands each variable to `tell`: its full name, in lower case but for the part in quotes, and its value if it has one.
///
/// Tells whether the file is well formed.
pub(super) fn read<E>(data: &[u8], tell: &mut Tell<'_, E>) -> Result<bool, E> {
    let mut source = Source { rest: data, ended: false };
    let mut section = Vec::new();
    let mut name = Vec::new();
    let mut is_named = false;
    loop {
        let byte = source.next();
        let done = match byte {
            b'\n' if source.ended => return Ok(true),
            b'#' | b';' => {
                while source.next() != b'\n' {}
                Ok(())
            }
            b'[' => {
                is_named = false;
                read_section(&mut source, &mut section).ok_or(Stop::Malformed)
            }
            byte if is_space(byte) => Ok(()),
            byte if byte.is_ascii_alphabetic() => {
                // The section's name may be long, and is not written once more for each variable.
                if !is_named {
                    name.clone_from(&section);
                    is_named = true;
                }
                name.truncate(section.len());
                variable(&mut source, &mut name, byte, tell)
            }
            _ => Err(Stop::Malformed),
        };
        match done {
            Ok(()) => {}
            Err(Stop::Malformed) => return Ok(false),
            Err(Stop::Told(error)) => return Err(error),
        }
    }
}

/// Reads what follows an opening bracket; the section ends with a period.
fn read_section(source: &mut Source<'_>, section: &mut Vec<u8>) -> Option<()> {
    section.clear();
    loop {
        match source.next() {
            _ if source.ended => return None,
            b']' => break,
            byte if is_space(byte) => {
                read_subsection(source, byte, section)?;
                break;
            }
            byte if is_key(byte) || byte == b'.' => section.push(byte.to_ascii_lowercase()),
            _ => return None,
        }
    }
    section.push(b'.');
    Some(())
}

/// Reads a name in quotes, and the closing bracket.
fn read_subsection(source: &mut Source<'_>, space: u8, section: &mut Vec<u8>) -> Option<()> {
    let mut byte = space;
    while is_space(byte) {
        if byte == b'\n' {
            return None;
        }
        byte = source.next();
    }
    if byte != b'"' {
        return None;
    }
    section.push(b'.');
    loop {
        let byte = match source.next() {
            b'"' => break,
            b'\\' => source.next(),
            byte => byte,
        };
        if byte == b'\n' {
            return None;
        }
        section.push(byte);
    }
    (source.next() == b']').then_some(())
}

/// Reads the rest of a variable and tells it.
///
/// `name` begins with the section's.
fn variable<E>(source: &mut Source<'_>, name: &mut Vec<u8>, first: u8, tell: &mut Tell<'_, E>) -> Result<(), Stop<E>> {
    let mut byte = first;
    while is_key(byte) {
        name.push(byte.to_ascii_lowercase());
        byte = source.next();
    }
    while matches!(byte, b' ' | b'\t') {
        byte = source.next();
    }
    let value = match byte {
        b'\n' => None,
        b'=' => Some(read_value(source).ok_or(Stop::Malformed)?),
        _ => return Err(Stop::Malformed),
    };
    tell(name, value.as_deref().map(text)).map_err(Stop::Told)
}

/// Reads a value up to the end of its line.
fn read_value(source: &mut Source<'_>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    // Spaces at the end do not count, unless they are in quotes.
    let mut kept = 0;
    let mut quoted = false;
    loop {
        match source.next() {
            b'\n' if quoted => return None,
            b'\n' => break,
            byte if is_space(byte) && !quoted => {
                if !value.is_empty() {
                    value.push(byte);
                }
                continue;
            }
            b'#' | b';' if !quoted => {
                while source.next() != b'\n' {}
                break;
            }
            b'"' => quoted = !quoted,
            b'\\' => match source.next() {
                b'\n' => {}
                b't' => value.push(b'\t'),
                b'b' => value.push(8),
                b'n' => value.push(b'\n'),
                byte @ (b'\\' | b'"') => value.push(byte),
                _ => return None,
            },
            byte => value.push(byte),
        }
        kept = value.len();
    }
    value.truncate(kept);
    Some(value)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// For Git, text ends at a zero byte.
pub(super) fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let sound = read::<()>(text.as_bytes(), &mut |name, value| {
            let value = value.map(|value| format!("={}", String::from_utf8_lossy(value))).unwrap_or_default();
            found.push(format!("{}{value}", String::from_utf8_lossy(super::text(name))));
            Ok(())
        });
        (found, sound.expect("nothing is refused"))
    }

    #[test]
    fn variables_are_read() {
        let text = "[A.B] c = 1 # x\r\n\td\n[e \"F\\\"g.\"]\n h-2 = \"a ;\" b \\\n c ; d\n";
        assert_eq!(all(text), (vec!["a.b.c=1".into(), "a.b.d".into(), "e.F\"g..h-2=a ; b  c".into()], true));
        assert_eq!(all("x"), (vec!["x".into()], true));
        assert_eq!(all(""), (vec![], true));
    }

    #[test]
    fn what_comes_before_a_fault_counts() {
        for fault in ["[", "[a", "[a b]", "[a \"b", "[a \"b\"", "1 = 2", "a = \"", "a = \\q", "a b", "[a \"\n\"]", "="]
        {
            assert_eq!(all(&format!("[x] y = 1\n{fault}\nz = 2")), (vec!["x.y=1".into()], false), "{fault}");
        }
    }
}

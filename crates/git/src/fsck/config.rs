//! A parser of Git's configuration format.
//!
//! Variables are reported one by one: as in Git, those before a syntax error count.

/// The rest of a file, read byte by byte; after the end it returns newlines.
struct ConfigInput<'d> {
    rest: &'d [u8],
    ended: bool,
}

impl ConfigInput<'_> {
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

/// A syntax error, or an error of the callback.
enum ReadError<E> {
    Malformed,
    Callback(E),
}

/// Receives a variable: its name, which for Git ends at a zero byte, and its value if it has one.
type OnVariable<'t, E> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), E> + 't;

/// Calls `on_variable` for each variable, with its full name and its value if it has one. The name is in lower case except for
/// the quoted part.
///
/// Returns whether the file is well formed.
pub(super) fn read<E>(data: &[u8], on_variable: &mut OnVariable<'_, E>) -> Result<bool, E> {
    let mut input = ConfigInput { rest: data, ended: false };
    let mut section = Vec::new();
    let mut name = Vec::new();
    let mut is_named = false;
    loop {
        let byte = input.next();
        let outcome = match byte {
            b'\n' if input.ended => return Ok(true),
            b'#' | b';' => {
                while input.next() != b'\n' {}
                Ok(())
            }
            b'[' => {
                is_named = false;
                read_section(&mut input, &mut section).ok_or(ReadError::Malformed)
            }
            byte if is_space(byte) => Ok(()),
            byte if byte.is_ascii_alphabetic() => {
                // A section name can be long, so it is not copied again for each variable.
                if !is_named {
                    name.clone_from(&section);
                    is_named = true;
                }
                name.truncate(section.len());
                variable(&mut input, &mut name, byte, on_variable)
            }
            _ => Err(ReadError::Malformed),
        };
        match outcome {
            Ok(()) => {}
            Err(ReadError::Malformed) => return Ok(false),
            Err(ReadError::Callback(error)) => return Err(error),
        }
    }
}

/// Reads a section name after its opening bracket; the result ends with a period.
fn read_section(input: &mut ConfigInput<'_>, section: &mut Vec<u8>) -> Option<()> {
    section.clear();
    loop {
        match input.next() {
            _ if input.ended => return None,
            b']' => break,
            byte if is_space(byte) => {
                read_subsection(input, byte, section)?;
                break;
            }
            byte if is_key(byte) || byte == b'.' => section.push(byte.to_ascii_lowercase()),
            _ => return None,
        }
    }
    section.push(b'.');
    Some(())
}

/// Reads a quoted name and the closing bracket.
fn read_subsection(input: &mut ConfigInput<'_>, space: u8, section: &mut Vec<u8>) -> Option<()> {
    let mut byte = space;
    while is_space(byte) {
        if byte == b'\n' {
            return None;
        }
        byte = input.next();
    }
    if byte != b'"' {
        return None;
    }
    section.push(b'.');
    loop {
        let byte = match input.next() {
            b'"' => break,
            b'\\' => input.next(),
            byte => byte,
        };
        if byte == b'\n' {
            return None;
        }
        section.push(byte);
    }
    (input.next() == b']').then_some(())
}

/// Reads the rest of a variable and reports it.
///
/// `name` starts with the section name.
fn variable<E>(
    input: &mut ConfigInput<'_>,
    name: &mut Vec<u8>,
    first: u8,
    on_variable: &mut OnVariable<'_, E>,
) -> Result<(), ReadError<E>> {
    let mut byte = first;
    while is_key(byte) {
        name.push(byte.to_ascii_lowercase());
        byte = input.next();
    }
    while matches!(byte, b' ' | b'\t') {
        byte = input.next();
    }
    let value = match byte {
        b'\n' => None,
        b'=' => Some(read_value(input).ok_or(ReadError::Malformed)?),
        _ => return Err(ReadError::Malformed),
    };
    on_variable(name, value.as_deref().map(text)).map_err(ReadError::Callback)
}

/// Reads a value up to the end of its line.
fn read_value(input: &mut ConfigInput<'_>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    // Trailing spaces are dropped, unless they are quoted.
    let mut kept = 0;
    let mut quoted = false;
    loop {
        match input.next() {
            b'\n' if quoted => return None,
            b'\n' => break,
            byte if is_space(byte) && !quoted => {
                if !value.is_empty() {
                    value.push(byte);
                }
                continue;
            }
            b'#' | b';' if !quoted => {
                while input.next() != b'\n' {}
                break;
            }
            b'"' => quoted = !quoted,
            b'\\' => match input.next() {
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

/// Returns the text before the first zero byte, where it ends for Git.
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
        (found, sound.expect("the callback never fails"))
    }

    #[test]
    fn variables_are_read() {
        let text = "[A.B] c = 1 # x\r\n\td\n[e \"F\\\"g.\"]\n h-2 = \"a ;\" b \\\n c ; d\n";
        assert_eq!(all(text), (vec!["a.b.c=1".into(), "a.b.d".into(), "e.F\"g..h-2=a ; b  c".into()], true));
        assert_eq!(all("x"), (vec!["x".into()], true));
        assert_eq!(all(""), (vec![], true));
    }

    #[test]
    fn variables_before_a_syntax_error_count() {
        for fault in ["[", "[a", "[a b]", "[a \"b", "[a \"b\"", "1 = 2", "a = \"", "a = \\q", "a b", "[a \"\n\"]", "="]
        {
            assert_eq!(all(&format!("[x] y = 1\n{fault}\nz = 2")), (vec!["x.y=1".into()], false), "{fault}");
        }
    }
}

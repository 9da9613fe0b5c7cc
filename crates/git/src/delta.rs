//! The delta format: an object as copies from a base and inserted bytes.

mod encode;

pub(crate) use encode::Index;

/// Reads the sizes that a delta declares: of its base and of its result, in bytes.
pub(crate) fn sizes(delta: &[u8]) -> Result<(u64, u64), &'static str> {
    let mut rest = delta;
    Ok((size(&mut rest)?, size(&mut rest)?))
}

/// Applies `delta` to `base` and returns the object.
pub(crate) fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = delta;
    let base_bytes = size(&mut rest)?;
    let result_bytes = usize::try_from(size(&mut rest)?).map_err(|_| "a delta result beyond this machine")?;
    if base_bytes != base.len() as u64 {
        return Err("a delta for a base of another size");
    }
    let mut result = Vec::with_capacity(result_bytes);
    while let Some((&instruction, tail)) = rest.split_first() {
        rest = tail;
        let part = if instruction & 0x80 != 0 {
            let offset = argument(&mut rest, instruction, 4)?;
            let bytes = match argument(&mut rest, instruction >> 4, 3)? {
                0 => 0x10000,
                bytes => bytes,
            };
            base.get(offset..offset + bytes).ok_or("a delta that copies from beyond its base")?
        } else {
            if instruction == 0 {
                return Err("a delta with a reserved instruction");
            }
            let (part, tail) = rest.split_at_checked(usize::from(instruction)).ok_or("a delta that ends too early")?;
            rest = tail;
            part
        };
        if part.len() > result_bytes - result.len() {
            return Err("a delta with too large a result");
        }
        result.extend_from_slice(part);
    }
    if result.len() == result_bytes { Ok(result) } else { Err("a delta with too small a result") }
}

/// Reads the little-endian bytes of a copy instruction; the bits of `present` say which bytes exist.
fn argument(rest: &mut &[u8], present: u8, bytes: usize) -> Result<usize, &'static str> {
    let mut value = 0;
    for position in 0..bytes {
        if present >> position & 1 != 0 {
            let (&byte, tail) = rest.split_first().ok_or("a delta that ends too early")?;
            *rest = tail;
            value |= usize::from(byte) << (8 * position);
        }
    }
    Ok(value)
}

fn size(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, tail) = rest.split_first().ok_or("a delta that ends too early")?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a delta with an endless size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts() {
        let delta = [&[11, 10][..], &[0x90, 5], &[3], b"---", &[0x91, 9, 2]].concat();
        assert_eq!(sizes(&delta), Ok((11, 10)));
        assert_eq!(apply(b"hello world", &delta).expect("a sound delta"), b"hello---ld");
    }

    #[test]
    fn a_copy_of_no_size_is_of_64_kilobytes() {
        let base = vec![7; 0x10000];
        let delta = [&[0x80, 0x80, 4, 0x80, 0x80, 4][..], &[0x80]].concat();
        assert_eq!(apply(&base, &delta).expect("a sound delta"), base);
    }

    #[test]
    fn unsound_deltas_are_refused() {
        for delta in [
            &[][..],
            &[0x80; 12],
            &[10, 1, 1, 1],
            &[11, 5, 0x90],
            &[11, 5, 0x91, 9, 5],
            &[11, 5, 0],
            &[11, 5, 3, 1],
            &[11, 1, 0x90, 5],
            &[11, 9, 0x90, 5],
        ] {
            assert!(apply(b"hello world", delta).is_err(), "{delta:?}");
        }
    }
}

//! A way in for the fuzzer, to what is not public.

use std::io::Read;

use gix::ObjectId;

use crate::{
    Object, Reader,
    pktline::{Lines, Packet},
};

/// Lets a reader take an object for one of its repository's; gives its id.
pub fn imagine(reader: &mut Reader, object: Object) -> ObjectId {
    reader.imagine(object).expect("no collision")
}

/// Reads lines up to the end of the input or the first unsound one; gives their number.
pub fn read_lines(input: &mut dyn Read, bytes_max: u64) -> usize {
    let mut lines = Lines::new(input, bytes_max);
    let mut count = 0;
    while !matches!(lines.next(), Ok(Packet::End) | Err(_)) {
        count += 1;
    }
    count
}

//! Access for the fuzzer to items that are not public.

use std::io::Read;

use gix::ObjectId;

use crate::{
    Object, Reader,
    pktline::{Lines, Packet},
};

/// Adds an object to those that a reader finds, without storing it; returns its id.
pub fn imagine(reader: &mut Reader, object: Object) -> ObjectId {
    reader.imagine(object).expect("no collision")
}

/// Reads lines up to the end of the input or the first malformed one; returns their number.
pub fn read_lines(input: &mut dyn Read, bytes_max: u64) -> usize {
    let mut lines = Lines::new(input, bytes_max);
    let mut count = 0;
    while !matches!(lines.next(), Ok(Packet::End) | Err(_)) {
        count += 1;
    }
    count
}

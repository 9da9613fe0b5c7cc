//! What Linux tells of a process that a test started: its memory, its files, its connections.

use std::fs;

/// The most memory that a process has had, in bytes.
pub fn memory_peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("every process has memory");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number");
    kilobytes << 10
}

/// The files that a process has open and that have no name any more.
pub fn nameless_files(id: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{id}/fd")).expect("it runs");
    let names = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    names.filter(|name| name.to_string_lossy().ends_with(" (deleted)")).count()
}

/// The connections that a process has accepted on a port of 127.0.0.1 and not closed.
pub fn connections(id: u32, port: u16) -> usize {
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).expect("it runs");
    let local = format!("0100007F:{port:04X}");
    let of_the_port = table.lines().filter(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // A socket that listens is in state 0A; one that its process has closed has the inode 0.
        matches!(words[..], [_, address, _, state, _, _, _, _, _, inode, ..] if address == local && state != "0A" && inode != "0")
    });
    of_the_port.count()
}

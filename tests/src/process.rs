//! The memory, the open files and the connections of a process that a test started, from `/proc`.

use std::fs;

/// Returns the peak resident memory of a process in bytes.
pub fn memory_peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the status has the peak memory");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("the peak memory is a number");
    kilobytes << 10
}

/// Returns the number of deleted files that a process has open.
pub fn nameless_files(id: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{id}/fd")).expect("the process runs");
    let names = open.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    names.filter(|name| name.to_string_lossy().ends_with(" (deleted)")).count()
}

/// Returns the number of open connections that a process accepted on a port of 127.0.0.1.
pub fn connections(id: u32, port: u16) -> usize {
    let table = fs::read_to_string(format!("/proc/{id}/net/tcp")).expect("the process runs");
    let local = format!("0100007F:{port:04X}");
    let of_the_port = table.lines().filter(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // A listening socket has the state 0A; one that its process has closed has the inode 0.
        matches!(words[..], [_, address, _, state, _, _, _, _, _, inode, ..] if address == local && state != "0A" && inode != "0")
    });
    of_the_port.count()
}

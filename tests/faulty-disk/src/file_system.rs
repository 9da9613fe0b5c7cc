//! A virtual file system of SQLite: the system's own, with failures in what changes files.
//!
//! A file's own methods stay; only those that write, sync, truncate and grow are replaced, and they call the ones that they replace.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use parking_lot::Mutex;
use rusqlite::ffi;

use crate::{Failure, due};

/// The file system that does the work.
struct Real(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's file systems are made to be used by all threads, and are never freed.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

/// A file's methods, as they are and as they are replaced.
struct Methods {
    real: *const ffi::sqlite3_io_methods,
    replaced: &'static ffi::sqlite3_io_methods,
}

// SAFETY: the tables are constant and live as long as the process.
unsafe impl Send for Methods {}

static REAL: OnceLock<Real> = OnceLock::new();
static METHODS: Mutex<Vec<Methods>> = Mutex::new(Vec::new());

/// The methods that write; all of the system's files have the same ones.
static WRITING: OnceLock<ffi::sqlite3_io_methods> = OnceLock::new();

/// Registers the file system as the one that is used when none is named.
pub(crate) fn install() {
    // SAFETY: SQLite initializes itself, and the default file system is there afterwards.
    let real = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!real.is_null(), "SQLite has a file system");
    // SAFETY: it is a valid table, which is copied; the name is constant.
    let mut own = unsafe { *real };
    own.zName = c"faulty".as_ptr();
    own.pNext = std::ptr::null_mut();
    own.xOpen = Some(open);
    assert!(REAL.set(Real(real)).is_ok(), "it is installed once");
    // SAFETY: the table is leaked, so it lives as long as the process.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite takes the file system");
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let Some(real) = REAL.get() else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite calls this with what the real method expects, whose size of a file is kept.
    unsafe {
        let Some(open) = (*real.0).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = open(real.0, name, file, flags, flags_out);
        if code == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            (*file).pMethods = replaced((*file).pMethods);
        }
        code
    }
}

/// Returns the methods of a file with those replaced that can fail.
fn replaced(real: *const ffi::sqlite3_io_methods) -> *const ffi::sqlite3_io_methods {
    let mut known = METHODS.lock();
    if let Some(methods) = known.iter().find(|methods| methods.real == real) {
        return methods.replaced;
    }
    // SAFETY: it comes from a file that was just opened, and is a constant table.
    let mut own = unsafe { *real };
    WRITING.get_or_init(|| own);
    own.xWrite = Some(write);
    own.xTruncate = Some(truncate);
    own.xSync = Some(sync);
    own.xShmMap = own.xShmMap.map(|_| shm_map as _);
    let own: &'static _ = Box::leak(Box::new(own));
    known.push(Methods { real, replaced: own });
    own
}

fn fails(of_disk: c_int) -> Option<c_int> {
    due(|failure| failure != Failure::Allocation).map(|failure| match failure {
        Failure::NoMemory => ffi::SQLITE_NOMEM,
        _ => of_disk,
    })
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xWrite);
    let Some(real) = real else { return ffi::SQLITE_IOERR_WRITE };
    match due(|failure| failure != Failure::Allocation) {
        // SAFETY: SQLite calls this with what the real method expects.
        None => unsafe { real(file, from, count, at) },
        Some(failure) => {
            // As much as there is room for is written.
            // SAFETY: the half of a buffer is a buffer.
            unsafe { real(file, from, count / 2, at) };
            match failure {
                Failure::DiskFull => ffi::SQLITE_FULL,
                Failure::NoMemory => ffi::SQLITE_NOMEM,
                _ => ffi::SQLITE_IOERR_WRITE,
            }
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xTruncate);
    match (fails(ffi::SQLITE_IOERR_TRUNCATE), real) {
        // SAFETY: SQLite calls this with what the real method expects.
        (None, Some(real)) => unsafe { real(file, size) },
        (code, _) => code.unwrap_or(ffi::SQLITE_IOERR_TRUNCATE),
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xSync);
    match (fails(ffi::SQLITE_IOERR_FSYNC), real) {
        // SAFETY: SQLite calls this with what the real method expects.
        (None, Some(real)) => unsafe { real(file, flags) },
        (code, _) => code.unwrap_or(ffi::SQLITE_IOERR_FSYNC),
    }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    page_bytes: c_int,
    extends: c_int,
    memory: *mut *mut c_void,
) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xShmMap);
    let code = if extends == 0 { None } else { fails(ffi::SQLITE_IOERR_SHMSIZE) };
    match (code, real) {
        // SAFETY: SQLite calls this with what the real method expects.
        (None, Some(real)) => unsafe { real(file, page, page_bytes, extends, memory.cast()) },
        (code, _) => {
            // SAFETY: SQLite passes a place for the result.
            unsafe { *memory = std::ptr::null_mut() };
            code.unwrap_or(ffi::SQLITE_IOERR_SHMMAP)
        }
    }
}

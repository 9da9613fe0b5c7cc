//! A virtual file system of SQLite that wraps the default one and injects failures into changes of files.
//!
//! Only the methods that write, sync, truncate and extend are replaced; they call the original ones.

use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

use parking_lot::Mutex;
use rusqlite::ffi;

use crate::{Failure, take_failure};

/// The wrapped file system.
struct Original(*mut ffi::sqlite3_vfs);

// SAFETY: the file systems of SQLite can be used by all threads and are never freed.
unsafe impl Send for Original {}
// SAFETY: as above.
unsafe impl Sync for Original {}

/// The original and the replaced methods of a file.
struct Methods {
    real: *const ffi::sqlite3_io_methods,
    replaced: &'static ffi::sqlite3_io_methods,
}

// SAFETY: the tables are constant and never freed.
unsafe impl Send for Methods {}

static ORIGINAL: OnceLock<Original> = OnceLock::new();
static METHODS: Mutex<Vec<Methods>> = Mutex::new(Vec::new());

/// The original methods that write, which are the same for all files.
static WRITING: OnceLock<ffi::sqlite3_io_methods> = OnceLock::new();

/// Registers the file system as the default one.
pub(crate) fn install() {
    // SAFETY: SQLite initializes itself, and has a default file system afterwards.
    let original = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!original.is_null(), "SQLite has a default file system");
    // SAFETY: the pointer is to a valid table, which is copied; the name is constant.
    let mut own = unsafe { *original };
    own.zName = c"faulty".as_ptr();
    own.pNext = std::ptr::null_mut();
    own.xOpen = Some(open);
    assert!(ORIGINAL.set(Original(original)).is_ok(), "the file system is installed once");
    // SAFETY: the table is leaked, so it is never freed.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite registers the file system");
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let Some(original) = ORIGINAL.get() else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: SQLite calls this with the arguments of the original method; the size of a file is unchanged.
    unsafe {
        let Some(open) = (*original.0).xOpen else { return ffi::SQLITE_CANTOPEN };
        let code = open(original.0, name, file, flags, flags_out);
        if code == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            (*file).pMethods = replaced((*file).pMethods);
        }
        code
    }
}

/// Returns the methods of a file, with replacements for those that can fail.
fn replaced(real: *const ffi::sqlite3_io_methods) -> *const ffi::sqlite3_io_methods {
    let mut known = METHODS.lock();
    if let Some(methods) = known.iter().find(|methods| methods.real == real) {
        return methods.replaced;
    }
    // SAFETY: the table is that of a file that was just opened, and is constant.
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

fn failure_code(disk_code: c_int) -> Option<c_int> {
    take_failure(|failure| failure != Failure::Allocation).map(|failure| match failure {
        Failure::NoMemory => ffi::SQLITE_NOMEM,
        _ => disk_code,
    })
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, count: c_int, at: i64) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xWrite);
    let Some(real) = real else { return ffi::SQLITE_IOERR_WRITE };
    match take_failure(|failure| failure != Failure::Allocation) {
        // SAFETY: SQLite calls this with the arguments of the original method.
        None => unsafe { real(file, from, count, at) },
        Some(failure) => {
            // A full disk takes a part of the data.
            // SAFETY: half of a buffer is a valid buffer.
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
    match (failure_code(ffi::SQLITE_IOERR_TRUNCATE), real) {
        // SAFETY: SQLite calls this with the arguments of the original method.
        (None, Some(real)) => unsafe { real(file, size) },
        (code, _) => code.unwrap_or(ffi::SQLITE_IOERR_TRUNCATE),
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let real = WRITING.get().and_then(|methods| methods.xSync);
    match (failure_code(ffi::SQLITE_IOERR_FSYNC), real) {
        // SAFETY: SQLite calls this with the arguments of the original method.
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
    let code = if extends == 0 { None } else { failure_code(ffi::SQLITE_IOERR_SHMSIZE) };
    match (code, real) {
        // SAFETY: SQLite calls this with the arguments of the original method.
        (None, Some(real)) => unsafe { real(file, page, page_bytes, extends, memory.cast()) },
        (code, _) => {
            // SAFETY: SQLite passes a valid pointer for the result.
            unsafe { *memory = std::ptr::null_mut() };
            code.unwrap_or(ffi::SQLITE_IOERR_SHMMAP)
        }
    }
}

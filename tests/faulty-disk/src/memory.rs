//! The allocator of SQLite with injected failures.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::OnceLock;

use rusqlite::ffi;

use crate::{Failure, take_failure};

static REAL: OnceLock<Methods> = OnceLock::new();

#[derive(Clone, Copy)]
struct Methods(ffi::sqlite3_mem_methods);

// SAFETY: the table is constant, and all threads can use its functions.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

/// Replaces the allocator; must run before the first use of SQLite.
pub(crate) fn install() {
    let mut real = MaybeUninit::<ffi::sqlite3_mem_methods>::uninit();
    // SAFETY: SQLite is not initialized, and fills the given table.
    let real = unsafe {
        let code = ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, real.as_mut_ptr());
        assert_eq!(code, ffi::SQLITE_OK, "SQLite is not used before the allocator is replaced");
        real.assume_init()
    };
    assert!(REAL.set(Methods(real)).is_ok(), "the allocator is installed once");
    let own = ffi::sqlite3_mem_methods { xMalloc: Some(allocate), xRealloc: Some(reallocate), ..real };
    // SAFETY: SQLite copies the table.
    let code = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const own) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite accepts the allocator");
}

fn fails() -> bool {
    take_failure(|failure| failure == Failure::Allocation).is_some()
}

unsafe extern "C" fn allocate(bytes: c_int) -> *mut c_void {
    match REAL.get().and_then(|real| real.0.xMalloc) {
        // SAFETY: SQLite calls this with the arguments of the original method.
        Some(real) if !fails() => unsafe { real(bytes) },
        _ => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn reallocate(memory: *mut c_void, bytes: c_int) -> *mut c_void {
    match REAL.get().and_then(|real| real.0.xRealloc) {
        // SAFETY: SQLite calls this with the arguments of the original method.
        Some(real) if !fails() => unsafe { real(memory, bytes) },
        _ => std::ptr::null_mut(),
    }
}

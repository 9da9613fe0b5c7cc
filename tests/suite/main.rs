//! The suite: one test binary, its modules named as the service's.

mod repository;

//! The suite: one test binary, its modules named as the service's.

mod crash;
mod git;
mod golden;
mod repository;
mod table;

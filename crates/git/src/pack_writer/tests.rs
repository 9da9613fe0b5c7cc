//! What is written is what Git takes and what was asked for.

mod bench;
mod pitfalls;
mod random;

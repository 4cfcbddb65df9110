//! System calls on a filesystem that nobody looks at: what they return, what may then be read, and
//! who waits for whom.

mod stage;
mod bytes;
mod returns;
mod blocking;

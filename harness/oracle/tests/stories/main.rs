//! Stories told to a filesystem and an oracle beside it: what fires, and what is left behind.

mod scene;
mod every_invariant_fires;
mod layouts;

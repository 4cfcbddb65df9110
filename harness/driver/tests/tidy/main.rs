//! The rules of the house: what the compiler does not check and a reviewer should not have to.
//!
//! Every exception stands in a list, with its reason; one that is no longer needed fails, too.
//! `UPDATE=1` rewrites the generated parts of `harness/ARCHITECTURE.md`.

mod code;
mod tree;
mod text;
mod layers;
mod manifest;
mod arrows;
mod owners;
mod shelf;
mod architecture;

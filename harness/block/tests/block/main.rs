//! Devices as their users see them.

mod table;
mod order;
mod errors;
mod outlive;
mod world;

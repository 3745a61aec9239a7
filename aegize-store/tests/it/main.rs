//! The stores through their public face: what is promised of all is asked of each.

#[macro_use]
mod places;

mod away;
mod damaged;
mod directory;
mod guarded;
mod keeping;
mod model;
mod opening;
mod outbox;
mod samples;
mod waiting;

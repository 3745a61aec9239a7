//! The stores through their public face: what is promised of all is asked of each.

#[macro_use]
mod places;

mod directory;
mod keeping;
mod model;
mod outbox;
mod samples;
mod waiting;

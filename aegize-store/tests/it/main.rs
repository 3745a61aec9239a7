//! Stores of approvals, through the public face.

mod model;

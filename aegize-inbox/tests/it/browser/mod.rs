//! The inbox in a browser.

mod driver;
mod looks;

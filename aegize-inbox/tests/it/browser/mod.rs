//! The inbox in a browser.

mod decides;
mod driver;
mod hostile;
mod looks;
mod plain;
mod sessions;

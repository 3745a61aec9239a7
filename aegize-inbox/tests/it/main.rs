//! The inbox through its public face: by HTTP, and, ignored unless `.ci/run` asks for them, in a
//! browser.

mod browser;
mod pages;
mod support;

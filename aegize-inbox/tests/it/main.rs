//! The inbox through its public face: by HTTP, and, ignored unless `.ci/run` asks for them, in a
//! browser.

mod api;
mod browser;
mod live;
mod pages;
mod security;
mod support;

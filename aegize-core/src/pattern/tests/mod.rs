//! The value matchers: entries that are refused, and properties. The values that they judge are
//! in `tests/corpus/conditions`, and judged through the public face.

mod entries;
mod properties;

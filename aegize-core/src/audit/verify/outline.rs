//! What the verifier reads in a line: its leaf, and what it says of its place. Pure.
//!
//! The invariant: a line is read completely and once; what it says twice or in another form than
//! a record does is no statement.

use std::fmt;
use std::str;

use memchr::memchr_iter;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::chain::{Hash, leaf};

/// A line, as far as the chain is concerned.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) leaf: Hash,
    pub(super) seq: Field<u64>,
    pub(super) prev: Field<Hash>,
    /// Why the line is no JSON object, if it is none.
    pub(super) flaw: Option<Box<str>>,
}

/// What a line says under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<T> {
    Absent,
    Is(T),
    /// Something that no record says there.
    Bad,
}

impl Outline {
    /// Reads a line, which is given without its line break.
    pub(super) fn of(line: &[u8]) -> Self {
        let keys = str::from_utf8(line)
            .map_err(|error| format!("it is not UTF-8 from byte {} on", error.valid_up_to() + 1))
            .and_then(|text| {
                serde_json::from_str::<Keys>(text).map_err(|error| {
                    let told = error.to_string();
                    let what = told.split(" at line ").next().unwrap_or_default();
                    format!("{what} in column {}", error.column())
                })
            });
        let leaf = leaf(line);
        match keys {
            Ok(Keys { seq, prev }) => Self {
                leaf,
                seq,
                prev,
                flaw: None,
            },
            Err(what) => Self {
                leaf,
                seq: Field::Absent,
                prev: Field::Absent,
                flaw: Some(what.into()),
            },
        }
    }
}

/// The lines of a text of which all end with a line break, without it.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', text).map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        line
    })
}

struct Keys {
    seq: Field<u64>,
    prev: Field<Hash>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let (mut seq, mut prev) = (Field::Absent, Field::Absent);
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Seq if seq != Field::Absent => {
                            return Err(de::Error::duplicate_field("seq"));
                        }
                        Key::Prev if prev != Field::Absent => {
                            return Err(de::Error::duplicate_field("prev"));
                        }
                        Key::Seq => {
                            seq = match map.next_value()? {
                                Said::Number(seq) => Field::Is(seq),
                                Said::Hash(_) | Said::Other => Field::Bad,
                            }
                        }
                        Key::Prev => {
                            prev = match map.next_value()? {
                                Said::Hash(hash) => Field::Is(hash),
                                Said::Number(_) | Said::Other => Field::Bad,
                            }
                        }
                        Key::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(Keys { seq, prev })
            }
        }

        deserializer.deserialize_map(Object)
    }
}

enum Key {
    Seq,
    Prev,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "seq" => Key::Seq,
                    "prev" => Key::Prev,
                    _ => Key::Other,
                })
            }
        }

        deserializer.deserialize_identifier(Name)
    }
}

/// A value of one of the two keys.
enum Said {
    Number(u64),
    Hash(Hash),
    Other,
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Said;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Said, E> {
                Ok(Said::Number(number))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Said, E> {
                Ok(Said::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Said, E> {
                Ok(Said::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Said, E> {
                Ok(Said::Other)
            }

            fn visit_unit<E>(self) -> Result<Said, E> {
                Ok(Said::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Said, E> {
                Ok(text.parse().map_or(Said::Other, Said::Hash))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Said, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Said::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Said, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Said::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_place_once_and_in_one_form() {
        let hash = leaf(b"before");
        let said = |line: String| {
            let Outline {
                seq, prev, flaw, ..
            } = Outline::of(line.as_bytes());
            assert_eq!(flaw, None, "{line}");
            (seq, prev)
        };
        let prev = Field::Is(hash);
        for (line, expected) in [
            ("{}".to_owned(), (Field::Absent, Field::Absent)),
            (
                format!(r#"{{"seq":7,"prev":"{hash}"}}"#),
                (Field::Is(7), prev),
            ),
            // The same keys, as JSON may write them.
            (
                format!(r#"{{"\u0073eq" : 7, "pre\u0076":"{hash}"}}"#),
                (Field::Is(7), prev),
            ),
            // Not at the top.
            (
                r#"{"metadata":{"seq":1,"prev":2}}"#.to_owned(),
                (Field::Absent, Field::Absent),
            ),
            (
                r#"{"seq":-1,"prev":null}"#.to_owned(),
                (Field::Bad, Field::Bad),
            ),
            (
                r#"{"seq":1.0,"prev":{"a":[1]}}"#.to_owned(),
                (Field::Bad, Field::Bad),
            ),
            (
                r#"{"seq":"1","prev":[1,{}]}"#.to_owned(),
                (Field::Bad, Field::Bad),
            ),
            (
                r#"{"seq":18446744073709551616,"prev":true}"#.to_owned(),
                (Field::Bad, Field::Bad),
            ),
            (
                format!(
                    r#"{{"seq":{},"prev":"{}"}}"#,
                    u64::MAX,
                    hash.to_string().to_uppercase()
                ),
                (Field::Is(u64::MAX), Field::Bad),
            ),
        ] {
            assert_eq!(said(line.clone()), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_object_is_told() {
        let rows: [(&[u8], &str); 9] = [
            (b"", "EOF while parsing a value in column 0"),
            (b"[]", "expected a JSON object"),
            (b"7", "expected a JSON object"),
            (b"{} {}", "trailing characters in column 4"),
            (br#"{"a":1"#, "EOF while parsing an object in column 6"),
            (br#"{"a":01}"#, "invalid number"),
            (br#"{"seq":1,"seq":1}"#, "duplicate field `seq`"),
            (
                br#"{"prev":1,"a":0,"\u0070rev":1}"#,
                "duplicate field `prev`",
            ),
            (b"{\"a\":\"\xff\"}", "not UTF-8 from byte 7 on"),
        ];
        for (line, told) in rows {
            let flaw = Outline::of(line).flaw.unwrap();
            assert!(flaw.contains(told), "{flaw}");
        }
    }
}

//! A walk over any `Serialize` value as a stream of events.
//!
//! One [`serde::Serializer`] turns a value into calls of a [`Sink`]; summaries, owned copies and
//! the search for paths are sinks of a few lines. A sink stops the walk as soon as it has seen
//! enough, so the cost of looking is bounded by the looker, not by the value.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// How deep a value may nest to be walked: as deep as JSON is commonly read.
pub(super) const DEEPEST: usize = 128;

/// Receives the events of a walk.
pub(crate) trait Sink {
    /// A value that holds no others.
    fn scalar(&mut self, scalar: Scalar<'_>) -> Result<(), Stop>;
    /// A list or a map begins.
    fn open(&mut self, shape: Shape) -> Result<(), Stop>;
    /// A map's next key; its value follows. `field` tells a type's own field name from data.
    fn key(&mut self, key: &str, field: bool) -> Result<(), Stop>;
    /// The list or map begun last ends.
    fn close(&mut self, shape: Shape) -> Result<(), Stop>;
}

#[derive(Clone, Copy)]
pub(crate) enum Scalar<'s> {
    Null,
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Text(&'s str),
    Bytes(&'s [u8]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    List,
    Map,
}

/// Why a walk ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The sink has seen what it needed.
    Enough,
    /// The value's `Serialize` failed; what was seen is not the whole value.
    Failed,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enough => "seen enough",
            Self::Failed => "the value does not serialize",
        })
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Failed
    }
}

/// A value that can be walked; the erased form of `Serialize`.
pub(crate) trait Structured {
    fn walk(&self, sink: &mut dyn Sink) -> Result<(), Stop>;
}

impl<T: Serialize> Structured for T {
    fn walk(&self, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.serialize(Walker {
            sink,
            is_key: false,
            depth: 0,
        })
    }
}

/// Whether a value is a struct or a map, told by its first event.
pub(crate) fn is_map(value: &impl Serialize) -> bool {
    struct First(bool);

    impl Sink for First {
        fn scalar(&mut self, _: Scalar<'_>) -> Result<(), Stop> {
            Err(Stop::Enough)
        }

        fn open(&mut self, shape: Shape) -> Result<(), Stop> {
            self.0 = shape == Shape::Map;
            Err(Stop::Enough)
        }

        fn key(&mut self, _: &str, _: bool) -> Result<(), Stop> {
            Err(Stop::Enough)
        }

        fn close(&mut self, _: Shape) -> Result<(), Stop> {
            Err(Stop::Enough)
        }
    }

    let mut first = First(false);
    let _ = value.walk(&mut first);
    first.0
}

struct Walker<'w> {
    sink: &'w mut dyn Sink,
    is_key: bool,
    depth: usize,
}

impl<'w> Walker<'w> {
    fn scalar(self, scalar: Scalar<'_>) -> Result<(), Stop> {
        if !self.is_key {
            return self.sink.scalar(scalar);
        }
        match scalar {
            Scalar::Text(text) => self.sink.key(text, false),
            Scalar::Bool(value) => self.sink.key(&value.to_string(), false),
            Scalar::Signed(value) => self.sink.key(&value.to_string(), false),
            Scalar::Unsigned(value) => self.sink.key(&value.to_string(), false),
            Scalar::Float(value) => self.sink.key(&value.to_string(), false),
            Scalar::Null | Scalar::Bytes(_) => Err(Stop::Failed),
        }
    }

    /// Opens a container; `variant` is the enum variant that wraps it, as JSON writes it.
    fn open(self, shape: Shape, variant: Option<&str>) -> Result<Open<'w>, Stop> {
        if self.is_key || self.depth >= DEEPEST {
            return Err(Stop::Failed);
        }
        if let Some(variant) = variant {
            self.sink.open(Shape::Map)?;
            self.sink.key(variant, true)?;
        }
        self.sink.open(shape)?;
        Ok(Open {
            sink: self.sink,
            shape,
            is_wrapped: variant.is_some(),
            depth: self.depth + 1,
        })
    }
}

/// An open list or map.
struct Open<'w> {
    sink: &'w mut dyn Sink,
    shape: Shape,
    is_wrapped: bool,
    depth: usize,
}

impl Open<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, is_key: bool) -> Result<(), Stop> {
        value.serialize(Walker {
            sink: &mut *self.sink,
            is_key,
            depth: self.depth,
        })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stop> {
        self.sink.key(name, true)?;
        self.value(value, false)
    }

    fn close(self) -> Result<(), Stop> {
        self.sink.close(self.shape)?;
        if self.is_wrapped {
            self.sink.close(Shape::Map)?;
        }
        Ok(())
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty => $scalar:ident;)*) => {$(
        fn $method(self, value: $type) -> Result<(), Stop> {
            self.scalar(Scalar::$scalar(value.into()))
        }
    )*};
}

impl<'w> Serializer for Walker<'w> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Open<'w>;
    type SerializeTuple = Open<'w>;
    type SerializeTupleStruct = Open<'w>;
    type SerializeTupleVariant = Open<'w>;
    type SerializeMap = Open<'w>;
    type SerializeStruct = Open<'w>;
    type SerializeStructVariant = Open<'w>;

    scalars! {
        serialize_bool: bool => Bool;
        serialize_i8: i8 => Signed;
        serialize_i16: i16 => Signed;
        serialize_i32: i32 => Signed;
        serialize_i64: i64 => Signed;
        serialize_i128: i128 => Signed;
        serialize_u8: u8 => Unsigned;
        serialize_u16: u16 => Unsigned;
        serialize_u32: u32 => Unsigned;
        serialize_u64: u64 => Unsigned;
        serialize_u128: u128 => Unsigned;
        serialize_f64: f64 => Float;
        serialize_str: &str => Text;
        serialize_bytes: &[u8] => Bytes;
    }

    /// As the shortest decimal that prints it, as JSON has it: `0.1_f32` is a tenth.
    fn serialize_f32(self, value: f32) -> Result<(), Stop> {
        let shortest = value.to_string().parse().unwrap_or(value.into());
        self.scalar(Scalar::Float(shortest))
    }

    fn serialize_char(self, value: char) -> Result<(), Stop> {
        self.scalar(Scalar::Text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_none(self) -> Result<(), Stop> {
        self.scalar(Scalar::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        self.scalar(Scalar::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        self.scalar(Scalar::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Stop> {
        self.scalar(Scalar::Text(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        let mut open = self.open(Shape::Map, None)?;
        open.field(variant, value)?;
        open.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'w>, Stop> {
        self.open(Shape::List, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'w>, Stop> {
        self.open(Shape::List, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Stop> {
        self.open(Shape::List, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'w>, Stop> {
        self.open(Shape::List, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'w>, Stop> {
        self.open(Shape::Map, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'w>, Stop> {
        self.open(Shape::Map, None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Open<'w>, Stop> {
        self.open(Shape::Map, Some(variant))
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident;)*) => {$(
        impl ser::$trait for Open<'_> {
            type Ok = ();
            type Error = Stop;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.value(value, false)
            }

            fn end(self) -> Result<(), Stop> {
                self.close()
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

macro_rules! fields {
    ($($trait:ident;)*) => {$(
        impl ser::$trait for Open<'_> {
            type Ok = ();
            type Error = Stop;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Stop> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Stop> {
                self.close()
            }
        }
    )*};
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        self.value(key, true)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.value(value, false)
    }

    fn end(self) -> Result<(), Stop> {
        self.close()
    }
}

//! What was summarized is read back, or told to be unknown.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::recorded::{RecordedArguments, RecordedValue, Unknown};
use super::{Argument, Arguments, Captured, summarize_arguments};
use crate::secrets::{Redactions, Redactor};

/// A generator that gives the same numbers everywhere (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn text(&mut self) -> String {
        const WORDS: [&str; 20] = [
            "a",
            "\"",
            "\\",
            "\n",
            "\u{1b}[2J",
            "…",
            ", ",
            "b=",
            "[redacted]",
            "<opaque>",
            "é日",
            "\u{202e}",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "/etc",
            "\u{2028}",
        ];
        let length = self.below(6);
        (0..length)
            .map(|_| WORDS[usize::try_from(self.below(20)).unwrap()])
            .collect()
    }

    fn value(&mut self, levels: u64) -> Value {
        match self.below(if levels == 0 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(i64::MIN.wrapping_add(self.0.cast_signed())),
            3 => json!(self.0),
            4 => json!(f64::from_bits(self.0)),
            5 => json!(self.text()),
            6 => (0..self.below(4)).map(|_| self.value(levels - 1)).collect(),
            _ => {
                let entries = (0..self.below(4)).map(|_| (self.text(), self.value(levels - 1)));
                entries.collect::<Map<_, _>>().into()
            }
        }
    }
}

/// A value as it reads back.
fn recorded(value: &Value) -> RecordedValue {
    match value {
        Value::Null => RecordedValue::Null,
        Value::Bool(value) => RecordedValue::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), ..) => RecordedValue::Signed(value.into()),
            (_, Some(value), _) => RecordedValue::Signed(value.into()),
            (.., float) => {
                let float = float.unwrap();
                let text = float.to_string();
                match (text.parse(), text.parse()) {
                    (Ok(whole), _) => RecordedValue::Signed(whole),
                    (_, Ok(whole)) => RecordedValue::Unsigned(whole),
                    _ => RecordedValue::Float(float),
                }
            }
        },
        Value::String(text) => RecordedValue::Text(text.clone()),
        Value::Array(items) => RecordedValue::List(items.iter().map(recorded).collect()),
        Value::Object(map) => RecordedValue::Map(
            map.iter()
                .map(|(key, value)| (key.clone(), recorded(value)))
                .collect(),
        ),
    }
}

fn summarize(arguments: &[Argument<'_>]) -> String {
    let arguments = Arguments::Captured(arguments);
    summarize_arguments(arguments, &Redactor::new(), &mut Redactions::default())
}

fn argument<'a>(name: &'a str, value: &'a impl Serialize) -> Argument<'a> {
    Argument::new(name, Captured::Structured(value))
}

#[test]
fn what_is_read_back_is_what_was_given() {
    let mut random = Random(0x5eed);
    let (mut complete, mut partial) = (0, 0);
    for _ in 0..20_000 {
        let names: Vec<String> = (0..random.below(4)).map(|_| random.text()).collect();
        let values: Vec<Value> = names.iter().map(|_| random.value(3)).collect();
        let given = names.iter().zip(&values);
        let arguments: Vec<_> = given
            .clone()
            .map(|(name, value)| argument(name, value))
            .collect();
        let summary = summarize(&arguments);
        let read = RecordedArguments::parse(&summary);
        if read.is_complete {
            complete += 1;
            assert_eq!(read.arguments.len(), names.len(), "{summary}");
        } else {
            partial += 1;
            let is_name_redacted = names.iter().any(|name| name.contains("[redacted]"));
            assert!(
                is_name_redacted || summary.chars().count() == 200,
                "{summary}"
            );
        }
        let given = given.filter(|(name, _)| !name.contains("[redacted]"));
        for (read, (name, value)) in read.arguments.iter().zip(given) {
            assert_eq!(read.name, *name, "{summary}");
            match &read.value {
                Ok(read) => assert_eq!(*read, recorded(value), "{summary}"),
                Err(Unknown::Cut) => assert!(summary.ends_with('…'), "{summary}"),
                Err(Unknown::Redacted) => assert!(summary.contains("[redacted]")),
                Err(Unknown::Unreadable) => panic!("{summary}"),
            }
        }
    }
    assert!(complete > 5_000 && partial > 1_000, "{complete} {partial}");
}

#[test]
fn every_cut_leaves_only_what_is_certain() {
    // The part before the cut is a summary of its own, but for the last argument.
    for length in 150..230 {
        let text = "x".repeat(length);
        let [text, after] = [json!(text), json!(12_345)];
        let given = [argument("text", &text), argument("after", &after)];
        let read = RecordedArguments::parse(&summarize(&given));
        for argument in &read.arguments {
            let expected = match &*argument.name {
                "text" => recorded(&text),
                "after" => recorded(&after),
                name => panic!("{name}"),
            };
            assert!(argument.value.as_ref().is_err() || argument.value == Ok(expected));
        }
        let is_whole = read.arguments.len() == 2 && read.arguments.iter().all(|a| a.value.is_ok());
        assert_eq!(read.is_complete, is_whole, "{length}");
        assert_eq!(is_whole, length + 20 <= 200, "{length}");
    }
}

#[test]
fn what_people_alone_can_read_is_unknown_with_all_that_follows() {
    let read = |summary: &str| {
        let read = RecordedArguments::parse(summary);
        let shown: Vec<_> = read
            .arguments
            .into_iter()
            .map(|argument| (argument.name, argument.value.err()))
            .collect();
        (shown, read.is_complete)
    };
    let name = str::to_owned;
    for value in [
        "Mode::Fast",
        "Some(3)",
        "NaN",
        "inf",
        "<3 bytes>",
        "<unreadable>",
        "[1,2<unreadable>",
        "[A, B]",
        "1.2.3",
        "\"a\\q\"",
        "\"a",
        "",
    ] {
        let alone = read(&format!("a={value}"));
        assert_eq!(alone, (vec![(name("a"), Some(Unknown::Unreadable))], false));
        let followed = read(&format!("a={value}, b=1"));
        assert_eq!(followed, alone, "{value}");
    }
    assert_eq!(
        read("a=[redacted], b=1, c=<opaque>, d=[\"[redacted]\"]"),
        (
            vec![
                (name("a"), Some(Unknown::Redacted)),
                (name("b"), None),
                (name("c"), None),
                (name("d"), Some(Unknown::Redacted)),
            ],
            true
        )
    );
    assert_eq!(read(""), (vec![], true));
    assert_eq!(read("no summary at all"), (vec![], false));
    let deep = format!("a={}{}", "[".repeat(99), "]".repeat(99));
    assert_eq!(read(&deep), (vec![(name("a"), None)], true));
}

//! The canonical JSON of a call (RFC 8785), as bindings are made of it.
//!
//! The RFC's numbers are doubles. A number that its text would not give back as it was, an integer
//! beyond 2^53 or a float that reads as an integer, is carried as a string that begins with `#`,
//! and a string that begins with `#` gets another one before it. The invariant: two values have
//! one text only if they are the same value.

use std::fmt::Write as _;

use crate::arguments::{Exact, ExactEntry};

/// The largest integer up to which doubles have every one: 2^53 - 1.
const MOST_SAFE: u128 = (1 << 53) - 1;

/// Adds the canonical text of a value.
pub(super) fn write(value: &Exact, text: &mut String) {
    match value {
        Exact::Null => text.push_str("null"),
        Exact::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Exact::Signed(value) => write_integer(*value, value.unsigned_abs(), text),
        Exact::Unsigned(value) => write_integer(*value, *value, text),
        Exact::Float(value) => write_float(*value, text),
        Exact::Text(value) if value.starts_with('#') => write_string(&format!("#{value}"), text),
        Exact::Text(value) => write_string(value, text),
        Exact::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Exact::Map(entries) => write_map(entries, text),
    }
}

/// Keys are sorted by their UTF-16 code units (section 3.2.3).
fn write_map(entries: &[ExactEntry], text: &mut String) {
    let mut sorted: Vec<&ExactEntry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.key.encode_utf16().cmp(b.key.encode_utf16()));
    text.push('{');
    for (index, entry) in sorted.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(&entry.key, text);
        text.push(':');
        write(&entry.value, text);
    }
    text.push('}');
}

// Writing to a string does not fail.

fn write_integer(value: impl std::fmt::Display, magnitude: u128, text: &mut String) {
    let _ = if magnitude <= MOST_SAFE {
        write!(text, "{value}")
    } else {
        write!(text, "\"#{value}\"")
    };
}

fn write_float(value: f64, text: &mut String) {
    match ecmascript(value) {
        Some(number) if number.contains(['.', 'e']) => text.push_str(&number),
        // It would be read as an integer, or is none that JSON has.
        _ => {
            let _ = write!(text, "\"#{value:?}\"");
        }
    }
}

/// A finite number as ECMAScript prints it (section 3.2.2.3): the fewest digits that tell it from
/// all others, which are those that Rust prints.
fn ecmascript(value: f64) -> Option<String> {
    let scientific = value.is_finite().then(|| format!("{value:e}"))?;
    let (mantissa, exponent) = scientific.split_once('e')?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    // Where the decimal point is, counted from the first digit.
    let point = exponent.parse::<i32>().ok()? + 1;
    let length = i32::try_from(digits.len()).ok()?;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let number = if length <= point && point <= 21 {
        format!("{digits}{}", zeros(point - length))
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at_checked(usize::try_from(point).ok()?)?;
        format!("{whole}.{fraction}")
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at_checked(1)?;
        let separator = if rest.is_empty() { "" } else { "." };
        format!("{first}{separator}{rest}e{:+}", point - 1)
    };
    Some(format!("{sign}{number}"))
}

/// Strings are written as `serde_json` does: what has a short escape by that, other control
/// characters as `\u00xx`, and the rest as it is (section 3.2.2.2).
fn write_string(value: &str, text: &mut String) {
    // A string always serializes.
    text.push_str(&serde_json::to_string(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Captured;
    use serde_json::json;

    fn canonical(value: &serde_json::Value) -> String {
        let mut budget = usize::MAX;
        let mut text = String::new();
        write(
            &Exact::of(Captured::Json(value), &mut budget).unwrap(),
            &mut text,
        );
        text
    }

    #[test]
    fn numbers_are_those_of_the_rfc() {
        // Appendix B, but for those that read as integers.
        let rows = [
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4f, "\"#9.999999999999999e20\""),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x3ff0_0000_0000_0000, "\"#1.0\""),
            (0x8000_0000_0000_0000, "\"#-0.0\""),
            (0x7ff8_0000_0000_0000, "\"#NaN\""),
            (0xfff0_0000_0000_0000, "\"#-inf\""),
        ];
        for (bits, expected) in rows {
            let mut text = String::new();
            write(&Exact::Float(f64::from_bits(bits)), &mut text);
            assert_eq!(text, expected, "{bits:x}");
        }
    }

    #[test]
    fn keys_and_strings_are_those_of_the_rfc() {
        let keys = json!({
            "\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7
        });
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(&keys), expected);
        let text = json!("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}");
        let expected = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"";
        assert_eq!(canonical(&text), expected);
    }

    #[test]
    fn what_a_double_cannot_hold_is_a_text_of_its_own() {
        let rows = [
            (json!(9_007_199_254_740_991_u64), "9007199254740991"),
            (json!(9_007_199_254_740_992_u64), "\"#9007199254740992\""),
            (json!(9_007_199_254_740_993_u64), "\"#9007199254740993\""),
            (json!(9_007_199_254_740_992.0), "\"#9007199254740992.0\""),
            (json!("9007199254740993"), "\"9007199254740993\""),
            (json!("#9007199254740993"), "\"##9007199254740993\""),
            (json!("##9007199254740993"), "\"###9007199254740993\""),
            (json!(-9_007_199_254_740_992_i64), "\"#-9007199254740992\""),
        ];
        for (value, expected) in rows {
            assert_eq!(canonical(&value), expected);
        }
    }
}

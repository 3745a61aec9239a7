//! Decimal numbers, compared exactly.
//!
//! A limit of `0.1` is a tenth and not the float next to it, and 2^53 + 1 is not 2^53. A number
//! is kept as its significant digits and the place of the first one, so that neither a huge
//! exponent nor a long text costs memory.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use serde_json::Value;

/// The most significant digits that are read.
const DIGITS: usize = 64;

/// A number with at most 64 significant digits. Equal numbers are equal however they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    sign: Sign,
    /// The power of ten of the first digit; 0 for zero.
    exponent: i64,
    /// The digits from the first that is not 0, filled up with zeros; all 0 for zero.
    digits: [u8; DIGITS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

impl Decimal {
    const ZERO: Self = Self {
        sign: Sign::Zero,
        exponent: 0,
        digits: [0; DIGITS],
    };

    /// The number that a text is in JSON or in YAML 1.2, without infinities and NaN; `None` for
    /// any other text, for more than 64 significant digits and for an exponent past 64 bits.
    ///
    /// A leading zero, as in `012`, is octal to some and is not read.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (Sign::Negative, rest),
            None => (Sign::Positive, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !is_digits(whole) || !is_digits(fraction) || has_leading_zero {
            return None;
        }
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if let Some(exponent) = exponent {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            if digits.is_empty() || !is_digits(digits) {
                return None;
            }
        }

        let written = || whole.bytes().chain(fraction.bytes());
        let Some(leading_zeros) = written().position(|byte| byte != b'0') else {
            return Some(Self::ZERO);
        };
        let mut digits = [0; DIGITS];
        let mut places = digits.iter_mut();
        for byte in written().skip(leading_zeros) {
            match places.next() {
                Some(place) => *place = byte - b'0',
                None if byte == b'0' => {}
                None => return None,
            }
        }
        let shift = match exponent {
            Some(exponent) => exponent.parse::<i64>().ok()?,
            None => 0,
        };
        let first = i64::try_from(whole.len()).ok()? - 1 - i64::try_from(leading_zeros).ok()?;
        Some(Self {
            sign,
            exponent: first.checked_add(shift)?,
            digits,
        })
    }

    /// The shortest decimal that a float prints as, which is what a document said when it was
    /// read as one; `None` for NaN and infinities.
    pub(crate) fn from_f64(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        let mut text = Text::default();
        write!(text, "{float:e}").ok()?;
        Self::parse(text.as_str())
    }

    /// The number as JSON says it; `None` if it can only say another one.
    pub(crate) fn to_json(self) -> Option<Value> {
        let text = format!("{self:?}");
        if let Ok(exponent) = usize::try_from(self.exponent)
            && exponent < DIGITS
            && self
                .digits
                .iter()
                .skip(exponent + 1)
                .all(|digit| *digit == 0)
        {
            let digits = self.digits.iter().take(exponent + 1);
            let sign = if self.sign == Sign::Negative { "-" } else { "" };
            let text = digits.fold(sign.to_owned(), |text, digit| text + &digit.to_string());
            if let Ok(number) = text.parse::<u64>() {
                return Some(number.into());
            }
            if let Ok(number) = text.parse::<i64>() {
                return Some(number.into());
            }
        }
        let float: f64 = text.parse().ok()?;
        (Self::from_f64(float)? == self).then(|| float.into())
    }

    /// A number between two others.
    pub(crate) fn between(low: &Self, high: &Self) -> Option<Value> {
        let (start, end) = (low.to_f64(), high.to_f64());
        let middle = start / 2.0 + end / 2.0;
        let candidates = [
            middle.round(),
            middle,
            start,
            end,
            start.next_up(),
            end.next_down(),
        ];
        let mut between = candidates.into_iter().filter_map(Self::from_f64);
        between
            .find(|number| low < number && number < high)
            .and_then(Self::to_json)
    }

    /// A number beyond this one, on the side of `step`.
    pub(crate) fn step(&self, step: f64) -> Option<Value> {
        let float = self.to_f64();
        let candidates = [
            float.round() + step,
            float * 2.0,
            float / 2.0,
            f64::MAX.copysign(step),
        ];
        let is_beyond = |number: &Self| {
            if step < 0.0 {
                number < self
            } else {
                number > self
            }
        };
        let mut beyond = candidates.into_iter().filter_map(Self::from_f64);
        beyond.find(is_beyond).and_then(Self::to_json)
    }

    /// A float near to it.
    fn to_f64(self) -> f64 {
        format!("{self:?}").parse().unwrap_or(f64::MAX)
    }

    fn from_parts(sign: Sign, magnitude: u128) -> Self {
        let Some(exponent) = magnitude.checked_ilog10() else {
            return Self::ZERO;
        };
        let mut digits = [0; DIGITS];
        let mut power = 10_u128.pow(exponent);
        for place in digits.iter_mut().take(exponent as usize + 1) {
            // A digit is below 10.
            *place = (magnitude / power % 10) as u8;
            power = (power / 10).max(1);
        }
        Self {
            sign,
            exponent: i64::from(exponent),
            digits,
        }
    }
}

impl From<u128> for Decimal {
    fn from(number: u128) -> Self {
        Self::from_parts(Sign::Positive, number)
    }
}

impl From<i128> for Decimal {
    fn from(number: i128) -> Self {
        let sign = if number < 0 {
            Sign::Negative
        } else {
            Sign::Positive
        };
        Self::from_parts(sign, number.unsigned_abs())
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitudes = || (self.exponent, self.digits).cmp(&(other.exponent, other.digits));
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            Sign::Negative => magnitudes().reverse(),
            Sign::Zero => Ordering::Equal,
            Sign::Positive => magnitudes(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sign == Sign::Negative {
            f.write_char('-')?;
        }
        let significant = self.digits.iter().rposition(|digit| *digit != 0);
        for (place, digit) in self.digits.iter().enumerate() {
            if place > significant.unwrap_or(0) {
                break;
            }
            if place == 1 {
                f.write_char('.')?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, "e{}", self.exponent)
    }
}

/// Room for any float in scientific notation: at most 17 digits, a point, two signs, and `e308`.
#[derive(Default)]
struct Text {
    bytes: [u8; 32],
    length: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

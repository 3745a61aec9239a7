//! New inputs from old ones.

use std::ops::Range;

use fastrand::Rng;

/// The longest input that is made, in bytes.
const LONGEST: usize = 16 * 1024;

/// What surprises readers of any text.
const SURPRISES: [&str; 40] = [
    "",
    "\0",
    "\n",
    "\r",
    "\t",
    " ",
    "\"",
    "'",
    "\\",
    "/",
    ".",
    "..",
    "*",
    "**",
    "?",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "-",
    "!",
    "&a",
    "#",
    "%",
    "~",
    "0",
    "-0",
    "1e400",
    "0.1",
    "9223372036854775808",
    "null",
    "true",
    "é",
    "e\u{301}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "😀",
];

/// A seed with a few changes; often with one, after which most of it still means something.
pub(crate) fn mutated(random: &mut Rng, pool: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = picked(random, pool).clone();
    for _ in 0..1 << random.u32(0..4) {
        change(random, &mut input, pool, words);
        input.truncate(LONGEST);
    }
    input
}

fn change(random: &mut Rng, input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
    let range = range(random, input);
    match random.u8(0..10) {
        0 => {
            input.drain(range);
        }
        1 => {
            if let Some(byte) = input.get_mut(range.start) {
                *byte = random.u8(..);
            }
        }
        2 => {
            // Wide, deep or long.
            let times = 1 << random.u32(0..10);
            let part = input[range.clone()].to_vec();
            if part.len() * times <= LONGEST {
                input.splice(range.end..range.end, part.repeat(times));
            }
        }
        3 | 4 => {
            let other = picked(random, pool);
            let part = self::range(random, other);
            input.splice(range, other[part].iter().copied());
        }
        5 | 6 => {
            let at = range.start;
            input.splice(at..at, picked(random, &SURPRISES).bytes());
        }
        7 => {
            let word = picked(random, &SURPRISES);
            input.splice(range, word.bytes());
        }
        _ => {
            let at = range.start;
            input.splice(at..at, picked(random, words).bytes());
        }
    }
}

/// A part of a text: mostly a short one, often one of whole lines.
fn range(random: &mut Rng, text: &[u8]) -> Range<usize> {
    let start = random.usize(0..=text.len());
    let most = (text.len() - start).min(1 << random.u32(0..12));
    let end = start + random.usize(0..=most);
    if random.bool() {
        return start..end;
    }
    let is_break = |byte: &u8| *byte == b'\n';
    let before = text[..start].iter().rposition(is_break);
    let after = text[end..].iter().position(is_break);
    before.map_or(0, |at| at + 1)..after.map_or(text.len(), |at| end + at)
}

fn picked<'a, T>(random: &mut Rng, from: &'a [T]) -> &'a T {
    &from[random.usize(0..from.len())]
}

//! The names under which secrets are passed.
//!
//! A name is read as its words: `userPassword`, `DB_PASSWORD` and `X-Api-Key` are `user password`,
//! `db password` and `x api key`. It is sensitive if a term ends where one of its words ends, unless
//! the next word says that it is about the secret and not the secret: `token_count`. So `tokenizer`
//! and `secretary` are not sensitive, and `dbpassword`, which does not tell its words apart, is.

use smallvec::SmallVec;

/// Terms that end a word, wherever they begin: `accesstoken`, `dbpassword`.
static ENDINGS: [&str; 25] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passphrases",
    "passcode",
    "secret",
    "secrets",
    "token",
    "apikey",
    "apikeys",
    "accesskey",
    "accesskeys",
    "accountkey",
    "authkey",
    "encryptionkey",
    "masterkey",
    "privatekey",
    "privatekeys",
    "secretkey",
    "signingkey",
    "authorization",
    "cookie",
    "cookies",
    "credential",
];

/// Terms that begin with a word and end with one. A plain `tokens` is a number to language models.
static WORDS: [&str; 22] = [
    "accesstokens",
    "apitokens",
    "auth",
    "authtokens",
    "bearer",
    "credentials",
    "creds",
    "dbpass",
    "ftppass",
    "jwt",
    "otp",
    "pass",
    "passkey",
    "pgpass",
    "pwd",
    "refreshtokens",
    "rootpass",
    "secretid",
    "sessiontokens",
    "smtppass",
    "sshkey",
    "userpass",
];

/// Words behind a term that make the name one of something else.
static ABOUT: [&str; 36] = [
    "at",
    "age",
    "budget",
    "bucket",
    "count",
    "counts",
    "enabled",
    "endpoint",
    "expires",
    "expiration",
    "expiry",
    "field",
    "file",
    "format",
    "hint",
    "id",
    "ids",
    "index",
    "kind",
    "label",
    "length",
    "limit",
    "limits",
    "max",
    "min",
    "name",
    "path",
    "policy",
    "rate",
    "required",
    "size",
    "ttl",
    "type",
    "uri",
    "url",
    "usage",
];

/// The longest name that is read without the heap.
const USUAL: usize = 64;

/// Whether the value of a name is a secret, by these terms or some more.
pub(super) fn is_sensitive(name: &str, more: &[String]) -> bool {
    let words = Words::of(name);
    let mut ends = words.ends.iter().copied();
    ends.any(|end| {
        let before = words.text.get(..end).unwrap_or_default();
        let last = before.last();
        // The last byte first: most terms end otherwise.
        let ends_with =
            |term: &str| term.as_bytes().last() == last && before.ends_with(term.as_bytes());
        let mut others = WORDS.iter().copied().chain(more.iter().map(String::as_str));
        let is_found = ENDINGS.iter().copied().any(ends_with)
            || others.any(|term| ends_with(term) && words.begins(end - term.len()));
        is_found && !ABOUT.iter().any(|word| words.after(end) == word.as_bytes())
    })
}

/// Whether the value of a name goes on to the end of its line, as in HTTP.
pub(super) fn is_header(name: &str) -> bool {
    let words = Words::of(name);
    ["authorization", "cookie"]
        .iter()
        .any(|term| words.text.ends_with(term.as_bytes()))
}

/// A name in lower case, without what stands between its words.
struct Words {
    text: SmallVec<[u8; USUAL]>,
    /// Where each word ends.
    ends: SmallVec<[usize; 8]>,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Self {
            text: SmallVec::new(),
            ends: SmallVec::new(),
        };
        let mut last = Kind::Between;
        let mut chars = name.chars().peekable();
        while let Some(c) = chars.next() {
            let kind = Kind::of(c);
            let next = chars.peek().copied().map_or(Kind::Between, Kind::of);
            let ends_word = match (last, kind) {
                // `APIKey` is `api key`.
                (Kind::Upper, Kind::Upper) => next == Kind::Lower,
                (Kind::Upper, Kind::Lower) => false,
                _ => last != kind,
            };
            if ends_word {
                words.end();
            }
            if c.is_ascii() && kind != Kind::Between {
                let lower = u8::try_from(c).unwrap_or_default().to_ascii_lowercase();
                words.text.push(lower);
            } else if kind != Kind::Between {
                for c in c.to_lowercase() {
                    words
                        .text
                        .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            last = kind;
        }
        words.end();
        words
    }

    fn end(&mut self) {
        let end = self.text.len();
        if end > self.ends.last().copied().unwrap_or(0) {
            self.ends.push(end);
        }
    }

    fn begins(&self, start: usize) -> bool {
        start == 0 || self.ends.contains(&start)
    }

    /// The word that begins there.
    fn after(&self, start: usize) -> &[u8] {
        let end = self.ends.iter().find(|end| **end > start);
        end.and_then(|end| self.text.get(start..*end))
            .unwrap_or_default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Between,
    Upper,
    Lower,
    Digit,
}

impl Kind {
    fn of(c: char) -> Self {
        if c.is_ascii_lowercase() {
            Self::Lower
        } else if c.is_uppercase() {
            Self::Upper
        } else if c.is_numeric() {
            Self::Digit
        } else if c.is_alphabetic() {
            Self::Lower
        } else {
            Self::Between
        }
    }
}

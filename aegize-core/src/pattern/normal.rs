//! Paths as text, in normal form.
//!
//! They are normalised by text alone: `\` becomes `/`, repeated separators and `.` are dropped,
//! `..` removes what it follows. Percent-encodings are text. What climbs above its start, begins
//! with `~`, holds a control character, or is a Windows drive, UNC or device path has no normal
//! form. Most paths stand in normal form as they are written, and are borrowed.

use std::borrow::Cow;

/// A path in normal form: segments without `.`, `..` or empty ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NormalPath<'p> {
    pub(super) is_absolute: bool,
    /// The segments joined by `/`, without a leading one; empty for the start itself. Borrowed
    /// if they stand so in the path as it was written.
    pub(super) text: Cow<'p, str>,
}

/// Why a path has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abnormal {
    #[error("cannot be read as a path; mark the parameter that is with `#[guard(path)]`")]
    Unreadable,
    #[error("is empty")]
    Empty,
    #[error("holds a control character")]
    Control,
    #[error("begins with `~`")]
    Home,
    #[error("is a Windows drive, UNC or device path")]
    Windows,
    #[error("climbs above its start")]
    Climbs,
}

impl<'p> NormalPath<'p> {
    /// The path, with `\` read as `/`.
    pub(crate) fn new(raw: &'p str) -> Result<Self, Abnormal> {
        if raw.contains('\\') {
            let translated = raw.replace('\\', "/");
            return NormalPath::with_slashes(&translated).map(NormalPath::into_owned);
        }
        Self::with_slashes(raw)
    }

    fn with_slashes(raw: &'p str) -> Result<Self, Abnormal> {
        let mut start = raw.chars();
        let is_drive =
            start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':');
        if is_drive || raw.starts_with("//") {
            return Err(Abnormal::Windows);
        }
        Self::literal(raw)
    }

    /// The path, with `\` read as a letter like any other, as Unix does.
    pub(crate) fn literal(raw: &'p str) -> Result<Self, Abnormal> {
        if raw.is_empty() {
            return Err(Abnormal::Empty);
        }
        if raw.chars().any(char::is_control) {
            return Err(Abnormal::Control);
        }
        let text = match lent(raw) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(joined(raw)?),
        };
        if text.starts_with('~') && !raw.starts_with('/') {
            return Err(Abnormal::Home);
        }
        Ok(Self {
            is_absolute: raw.starts_with('/'),
            text,
        })
    }

    /// Every way to read a path: whether a `\` separates depends on who opens it.
    pub(crate) fn readings(raw: &'p str) -> Result<Readings<'p>, Abnormal> {
        let has_backslash = raw.contains('\\');
        Ok(Readings {
            first: Self::new(raw)?,
            second: has_backslash.then(|| Self::literal(raw)).transpose()?,
        })
    }

    pub(crate) fn into_owned(self) -> NormalPath<'static> {
        NormalPath {
            is_absolute: self.is_absolute,
            text: Cow::Owned(self.text.into_owned()),
        }
    }

    /// Whether it begins at the root.
    pub(crate) fn is_absolute(&self) -> bool {
        self.is_absolute
    }

    /// Its segments joined by `/`, without a leading one.
    pub(crate) fn segments(&self) -> &str {
        &self.text
    }

    /// The segments below a directory; `None` if the path is not in it.
    pub(super) fn below(&self, directory: &str) -> Option<&str> {
        if directory.is_empty() {
            return Some(&self.text);
        }
        let rest = self.text.strip_prefix(directory)?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    }
}

/// The part of a path that is in normal form as it stands; `None` if there is no such part.
fn lent(raw: &str) -> Option<&str> {
    let mut text = raw;
    while let Some(rest) = text.strip_prefix('/').or_else(|| text.strip_prefix("./")) {
        text = rest;
    }
    while let Some(rest) = text.strip_suffix('/').or_else(|| text.strip_suffix("/.")) {
        text = rest;
    }
    if matches!(text, "" | ".") {
        return Some("");
    }
    let is_name = |segment| !matches!(segment, "" | "." | "..");
    text.split('/').all(is_name).then_some(text)
}

/// The segments that remain of a path, joined.
fn joined(raw: &str) -> Result<String, Abnormal> {
    let mut text = String::with_capacity(raw.len());
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." if text.is_empty() => return Err(Abnormal::Climbs),
            ".." => text.truncate(text.rfind('/').unwrap_or(0)),
            segment => {
                if !text.is_empty() {
                    text.push('/');
                }
                text.push_str(segment);
            }
        }
    }
    Ok(text)
}

/// The ways to read one path.
#[derive(Debug)]
pub(crate) struct Readings<'p> {
    first: NormalPath<'p>,
    /// If it is another.
    second: Option<NormalPath<'p>>,
}

impl<'p> Readings<'p> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &NormalPath<'p>> {
        std::iter::once(&self.first).chain(&self.second)
    }

    pub(crate) fn into_owned(self) -> Readings<'static> {
        Readings {
            first: self.first.into_owned(),
            second: self.second.map(NormalPath::into_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_what_would_be_joined() {
        let mut texts = vec![String::new()];
        let mut last = texts.clone();
        for _ in 0..7 {
            let longer = |text: &String| ['a', '.', '/', '~'].map(|c| format!("{text}{c}"));
            last = last.iter().flat_map(longer).collect();
            texts.extend(last.clone());
        }
        let mut count = 0;
        for text in &texts {
            if let Some(lent) = lent(text) {
                assert_eq!(joined(text).as_deref(), Ok(lent), "{text}");
                count += 1;
            }
        }
        assert!(count > texts.len() / 3, "{count} of {}", texts.len());
        for usual in ["a", "./a/b", "/a/b.c", "a/", "./", "/", ".env", "a/..b"] {
            assert!(lent(usual).is_some(), "{usual}");
        }
    }
}

//! Globs over paths in normal form, which patterns are brought into as well. What has no normal
//! form matches nothing. Relative and absolute are different namespaces.

use std::rc::Rc;

use super::glob::translate::{BELOW, NAME, literal, whole};
use super::glob::{Glob, PatternError, Syntax, check, is_glob};
use super::normal::NormalPath;

/// Finds out where a path really leads on this host.
pub(crate) trait Resolver {
    /// Follows a path from the working directory; `None` if that cannot be done.
    fn follow(&self, path: &str) -> Option<Rc<Followed>>;
}

/// What was found when a path was followed; all absolute.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Where it leads, free of links.
    pub(crate) target: NormalPath<'static>,
    /// The path with the links of its directories followed, its own last segment not: what
    /// removing or renaming it acts on.
    pub(crate) entry: NormalPath<'static>,
    /// The names it went by on the way, one for each link.
    pub(crate) names: Vec<NormalPath<'static>>,
}

impl Followed {
    fn everything(&self) -> impl Iterator<Item = &NormalPath<'static>> {
        [&self.target, &self.entry].into_iter().chain(&self.names)
    }
}

/// A glob over paths: literal leading directories, and what follows them.
#[derive(Debug, Clone)]
pub(crate) struct PathGlob {
    is_absolute: bool,
    /// The literal leading directories.
    base: Box<str>,
    rest: Rest,
}

#[derive(Debug, Clone)]
enum Rest {
    /// `**`: the base and everything below it.
    Anything,
    /// A last segment without wildcards.
    Literal(Box<str>),
    /// Wildcards, and whether they begin with `**`.
    Glob { glob: Glob, begins_anywhere: bool },
}

impl PathGlob {
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        check(pattern)?;
        let NormalPath { is_absolute, text } = NormalPath::new(pattern).map_err(|problem| {
            PatternError::new(format!(
                "{problem} and could match nothing; write a path such as `./data/**` or `/srv/data/**`"
            ))
        })?;
        let mut segments: Vec<&str> = text.split('/').collect();
        segments.dedup_by(|next, before| *next == "**" && next == before);
        if let Some(segment) = segments.iter().find(|s| s.contains("**") && **s != "**") {
            return Err(PatternError::new(format!(
                "has `**` within `{segment}`; it stands for whole directories: write `**/` before or `/**` after a name"
            )));
        }
        let literal = segments.iter().take_while(|s| !is_glob(s)).count();
        // The last segment names what is looked for, not a directory that leads to it.
        let leading = literal.min(segments.len().saturating_sub(1));
        let (base, rest) = segments.split_at(leading);
        let (base, rest) = (base.join("/"), rest.join("/"));
        Ok(Self {
            is_absolute,
            base: base.into(),
            rest: Rest::new(&rest)?,
        })
    }

    /// Whether the path, as text, matches.
    pub(crate) fn is_match(&self, path: &NormalPath<'_>) -> bool {
        self.is_absolute == path.is_absolute
            && path
                .below(&self.base)
                .is_some_and(|below| self.rest.is_match(below))
    }

    /// Whether the path, as text, might be one that matches: as [`is_match`](Self::is_match),
    /// and a relative pattern that begins with `**` covers every directory there is.
    pub(crate) fn is_possible_match(&self, path: &NormalPath<'_>) -> bool {
        self.is_match(path)
            || (!self.is_absolute
                && self.base.is_empty()
                && self.rest.begins_anywhere()
                && self.rest.is_match(&path.text))
    }

    /// Whether a path that matches by its text does so wherever it leads, too, with the literal
    /// leading directories followed the same way.
    pub(crate) fn leads_inside(
        &self,
        path: &NormalPath<'_>,
        followed: &Followed,
        resolver: &dyn Resolver,
    ) -> bool {
        let Some(base) = self.follow_base(resolver) else {
            return false;
        };
        // The pattern's own directory may be a link.
        let is_base = path.below(&self.base).is_some_and(str::is_empty);
        self.is_inside(&base.target, &followed.target)
            && (is_base || self.is_inside(&base.target, &followed.entry))
    }

    /// Whether a path might be one that matches, under any name that it goes by, or be the very
    /// file that the pattern names.
    pub(crate) fn may_lead_inside(&self, followed: &Followed, resolver: &dyn Resolver) -> bool {
        if followed
            .everything()
            .any(|path| self.is_possible_match(path))
        {
            return true;
        }
        let Some(base) = self.follow_base(resolver) else {
            return true;
        };
        if followed
            .everything()
            .any(|path| self.is_inside(&base.target, path))
        {
            return true;
        }
        let Rest::Literal(name) = &self.rest else {
            return false;
        };
        let path = format!("{}/{name}", self.base_path());
        resolver
            .follow(&path)
            .is_none_or(|named| named.target == followed.target)
    }

    /// Whether links lead from both to the same places: the leading directories are the same,
    /// and the other pattern is not about one file by its name.
    pub(crate) fn begins_like(&self, other: &Self) -> bool {
        self.is_absolute == other.is_absolute
            && self.base == other.base
            && !matches!(other.rest, Rest::Literal(_))
    }

    /// A regular expression that matches the normal forms of the same paths, those of absolute
    /// ones with their leading `/`.
    pub(crate) fn to_regex(&self) -> String {
        let start = if self.is_absolute { "/" } else { "" };
        whole(&format!("{start}{}", self.text_regex()))
    }

    /// The same for the paths that [might](Self::is_possible_match) match.
    pub(crate) fn to_possible_regex(&self) -> String {
        if self.is_absolute || !self.base.is_empty() || !self.rest.begins_anywhere() {
            return self.to_regex();
        }
        whole(&format!("/?(?:{})", self.text_regex()))
    }

    /// A regular expression of the normal forms of all paths there are.
    pub(crate) fn domain_regex() -> String {
        // Neither empty nor `.` nor `..`, and without controls; a relative path has no `~` first.
        let letter = |without: &str| format!(r"[^/{without}\x00-\x1f\x7f-\u{{9f}}]");
        let any = letter("");
        let name = |first: &str| {
            let dotted = letter(".");
            format!(r"(?:{first}{any}*|\.{dotted}{any}*|\.\.{any}+)")
        };
        let (first, name) = (name(&letter(".~")), name(&letter(".")));
        whole(&format!(
            "(?:/(?:{name}(?:/{name})*)?|(?:{first}(?:/{name})*)?)"
        ))
    }

    fn text_regex(&self) -> String {
        let base = literal(&self.base);
        let separator = if base.is_empty() { "" } else { "/" };
        match &self.rest {
            Rest::Anything if base.is_empty() => format!("(?:{NAME}{BELOW})?"),
            Rest::Anything => format!("{base}{BELOW}"),
            Rest::Literal(name) => format!("{base}{separator}{}", literal(name)),
            Rest::Glob { glob, .. } => format!("{base}{separator}{}", glob.to_path_regex()),
        }
    }

    /// The literal leading directories as a path to follow.
    fn base_path(&self) -> String {
        let start = if self.is_absolute { "/" } else { "./" };
        format!("{start}{}", self.base)
    }

    fn follow_base(&self, resolver: &dyn Resolver) -> Option<Rc<Followed>> {
        resolver.follow(&self.base_path())
    }

    fn is_inside(&self, base: &NormalPath<'_>, path: &NormalPath<'_>) -> bool {
        path.is_absolute
            && path
                .below(&base.text)
                .is_some_and(|below| self.rest.is_match(below))
    }
}

impl Rest {
    fn new(pattern: &str) -> Result<Self, PatternError> {
        if pattern == "**" {
            return Ok(Self::Anything);
        }
        if !is_glob(pattern) {
            return Ok(Self::Literal(pattern.into()));
        }
        Ok(Self::Glob {
            glob: Glob::new(pattern, Syntax::Path)?,
            begins_anywhere: pattern.starts_with("**"),
        })
    }

    fn is_match(&self, below: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Literal(text) => **text == *below,
            // `*` stands for a name, never for the lack of one.
            Self::Glob { .. } if below.is_empty() => false,
            Self::Glob { glob, .. } => glob.is_match(below),
        }
    }

    /// Whether the pattern begins with `**`.
    fn begins_anywhere(&self) -> bool {
        match self {
            Self::Anything => true,
            Self::Literal(_) => false,
            Self::Glob {
                begins_anywhere, ..
            } => *begins_anywhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the glob and by its regular expression, which have to agree.
    fn matches(pattern: &str, path: &str) -> bool {
        let glob = PathGlob::new(pattern).unwrap();
        let regex = regex::Regex::new(&glob.to_regex()).unwrap();
        NormalPath::new(path).is_ok_and(|path| {
            let start = if path.is_absolute { "/" } else { "" };
            let matches = glob.is_match(&path);
            let text = format!("{start}{}", path.text);
            assert_eq!(matches, regex.is_match(&text), "{pattern} {text:?} {regex}");
            matches
        })
    }

    #[test]
    fn text_decides_within_its_namespace() {
        for (pattern, path, expected) in [
            ("./safe/**", "safe", true),
            ("./safe/**", "safe/", true),
            ("./safe/**", "./safe/a/b", true),
            ("./safe/**", "safe/x/../a", true),
            ("./safe/**", "safe/../a", false),
            ("./safe/**", "/safe/a", false),
            ("./safe/**", "safe_evil/a", false),
            ("./safe/**", "safe/../../safe/a", false),
            ("./safe/*", "safe/a", true),
            ("./safe/*", "safe/a/b", false),
            ("./safe/*", "safe", false),
            ("safe\\**", "safe/a", true),
            ("safe/**", "safe\\..\\a", false),
            ("/srv/**", "/srv/a", true),
            ("/srv/**", "//srv/a", false),
            ("/srv/**", "srv/a", false),
            ("/**", "/", true),
            ("**", ".", true),
            ("**", "/", false),
            ("**", "~/a", false),
            ("**", "./~/a", false),
            ("**", "C:\\a", false),
            ("**", "a\0b", false),
            ("**", "", false),
            ("**/.env", ".env", true),
            ("**/.env", "a/b/.env", true),
            ("**/.env", "/a/.env", false),
            ("*/logs/**", "a/logs", true),
            ("*/logs/**", "a/logs/x/y", true),
            ("report.md", "report.md", true),
            ("report.md", "a/report.md", false),
            ("données/*.txt", "données/été.txt", true),
            ("a/?", "a/é", true),
            (".", "./", true),
            ("/", "/", true),
            ("/", ".", false),
            ("*", ".", false),
            ("/*", "/", false),
            ("/*", "/a", true),
            ("*/**", ".", false),
            ("*/b", "/b", false),
            ("{,a}", ".", false),
            ("{,a}", "a", true),
            ("a(.|b)$", "a(.|b)$", true),
            ("a/ *", "a/ b", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path:?}");
        }
    }

    #[test]
    fn a_pattern_that_could_match_nothing_is_refused() {
        for pattern in [
            "",
            "~/a",
            "../a",
            "a/../../b",
            "C:/a",
            "//host/a",
            "a\0",
            "a**",
            "a/**b",
        ] {
            assert!(PathGlob::new(pattern).is_err(), "{pattern:?}");
        }
    }

    #[test]
    fn leading_stars_may_mean_any_directory() {
        let path = NormalPath::new("/data/.env").unwrap();
        let possible = |pattern| PathGlob::new(pattern).unwrap().is_possible_match(&path);
        assert!(possible("**/.env"));
        assert!(possible("**"));
        assert!(!possible("data/.env"));
        assert!(!possible("*/.env"));
    }
}

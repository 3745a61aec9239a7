//! The paths of seen calls, and the patterns that cover them.
//!
//! A directory is opened only if several files were seen in it, and never one above those that
//! were seen. The invariant: if patterns are given, every routine call is proved to be inside
//! them, in all the ways in which replaying it reads its arguments.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::RiskLevel;
use crate::arguments::{Argument, Arguments, Call, RecordedArguments, is_path_like};
use crate::pattern::{NormalPath, PathGlob};

/// A path in normal form; the relative ones come first.
type Path = (bool, String);

/// What the paths of an operation's calls were.
#[derive(Debug, Default)]
pub(super) struct SeenPaths {
    /// Why nothing can be said of the paths of all routine calls.
    obstacles: BTreeSet<&'static str>,
    /// Every text of every routine call, by the argument it came from.
    texts: BTreeMap<String, BTreeSet<String>>,
    /// The sources of texts that count as paths in some call.
    sources: BTreeSet<String>,
    /// Of the calls without a text that looks like a path: the sources of those that count as one
    /// for want of another.
    pathless: BTreeSet<BTreeSet<String>>,
    denied: Vec<Denied>,
}

#[derive(Debug)]
struct Denied {
    risk: RiskLevel,
    /// `None` if not all of them are known.
    paths: Option<Vec<Path>>,
}

/// What can be said of the paths of the routine calls.
pub(super) struct Patterns {
    /// Empty if nothing can.
    pub(super) globs: Vec<String>,
    /// How many distinct paths they cover.
    pub(super) distinct: usize,
    /// Why there are none, though there were paths.
    pub(super) obstacle: Option<&'static str>,
    /// How many calls that were denied may be inside, at a risk that was seen.
    pub(super) denied_inside: usize,
}

impl SeenPaths {
    pub(super) fn add_routine(
        &mut self,
        call: Call<'_>,
        recorded: &RecordedArguments,
        readings: &[Vec<Argument<'_>>],
    ) {
        if !recorded.is_complete || recorded.unknown().next().is_some() {
            self.obstacles
                .insert("the arguments of some calls were cut, redacted or unreadable");
        }
        let mut certain = BTreeSet::new();
        let mut has_path = false;
        for arguments in readings {
            let call = with_arguments(call, arguments);
            for candidate in call.candidate_paths() {
                let is_certain = candidate.guess.is_none();
                let Some(text) = candidate.text else {
                    self.obstacles
                        .insert("some calls had paths that cannot be read");
                    continue;
                };
                if is_certain && is_path_like(&text) {
                    has_path = true;
                    self.sources.insert(candidate.source.to_owned());
                } else if is_certain {
                    certain.insert(candidate.source.to_owned());
                }
                let texts = self.texts.entry(candidate.source.to_owned()).or_default();
                texts.insert(text.into_owned());
            }
        }
        for candidate in with_arguments(call, &[]).candidate_paths() {
            has_path = true;
            self.sources.insert(candidate.source.to_owned());
        }
        if !has_path {
            self.pathless.insert(certain);
        }
    }

    pub(super) fn add_denied(
        &mut self,
        call: Call<'_>,
        recorded: &RecordedArguments,
        readings: &[Vec<Argument<'_>>],
        risk: RiskLevel,
    ) {
        let is_known = recorded.is_complete && recorded.unknown().next().is_none();
        let mut paths = Some(Vec::new()).filter(|_| is_known);
        for arguments in readings {
            let call = with_arguments(call, arguments);
            for candidate in call.candidate_paths() {
                let normal = candidate.text.and_then(|text| normal(&text));
                if candidate.guess.is_none()
                    && let (Some(paths), Some(path)) = (&mut paths, normal)
                {
                    paths.push(path);
                }
            }
        }
        self.denied.push(Denied { risk, paths });
    }

    /// The patterns that cover the routine calls, of which the highest risk was that.
    pub(super) fn patterns(&self, highest: RiskLevel) -> Patterns {
        let (globs, distinct, obstacle) = match self.routine_paths() {
            _ if self.sources.is_empty() => (Vec::new(), 0, None),
            Err(obstacle) => (Vec::new(), 0, Some(obstacle)),
            Ok(paths) => match self.generalize(&paths) {
                Some(globs) => (globs, paths.len(), None),
                None => (
                    Vec::new(),
                    0,
                    Some("some paths cannot be written as patterns"),
                ),
            },
        };
        let matchers: Vec<PathGlob> = globs.iter().flat_map(|glob| PathGlob::new(glob)).collect();
        let may_be_inside = |denied: &&Denied| {
            denied.risk <= highest
                && denied.paths.as_ref().is_none_or(|paths| {
                    matchers.is_empty()
                        || !paths.is_empty() && paths.iter().all(|path| is_inside(&matchers, path))
                })
        };
        Patterns {
            denied_inside: self.denied.iter().filter(may_be_inside).count(),
            globs,
            distinct,
            obstacle,
        }
    }

    /// Every path of every routine call, and every other text that stood in the place of one.
    fn routine_paths(&self) -> Result<BTreeSet<Path>, &'static str> {
        if let Some(obstacle) = self.obstacles.first() {
            return Err(obstacle);
        }
        let has_path =
            |sources: &BTreeSet<String>| !sources.is_empty() && sources.is_subset(&self.sources);
        if !self.pathless.iter().all(has_path) {
            return Err("some calls named no path");
        }
        let texts = self
            .sources
            .iter()
            .filter_map(|source| self.texts.get(source));
        let mut paths = BTreeSet::new();
        for text in texts.flatten() {
            if !looks_like_file(text) {
                return Err("some texts are paths to the guard, and name no file");
            }
            paths.insert(normal(text).ok_or("some paths match no pattern")?);
        }
        Ok(paths)
    }

    /// The least patterns: a directory right in which several paths were seen, and below which none
    /// was denied, or the path itself. A single file beside a busy directory opens nothing.
    fn generalize(&self, paths: &BTreeSet<Path>) -> Option<Vec<String>> {
        let mut inside = BTreeMap::<Path, usize>::new();
        for directory in paths.iter().filter_map(parent) {
            *inside.entry(directory).or_default() += 1;
        }
        let denied = self
            .denied
            .iter()
            .flat_map(|denied| denied.paths.iter().flatten());
        for directory in denied.flat_map(ancestors) {
            inside.remove(&directory);
        }
        inside.retain(|_, count| *count > 1);

        let mut globs = BTreeSet::new();
        for path in paths {
            // The topmost one that is open.
            let directory = ancestors(path)
                .into_iter()
                .find(|directory| inside.contains_key(directory));
            globs.insert(match directory {
                Some((is_absolute, text)) => format!("{}/**", pattern(is_absolute, &text)),
                None => pattern(path.0, &path.1),
            });
        }
        let is_good = globs.iter().all(|glob| PathGlob::new(glob).is_ok());
        is_good.then(|| globs.into_iter().collect())
    }
}

fn with_arguments<'a>(call: Call<'a>, arguments: &'a [Argument<'a>]) -> Call<'a> {
    Call {
        arguments: Arguments::Captured(arguments),
        ..call
    }
}

/// A path's normal form, if there is but one way to read it.
fn normal(text: &str) -> Option<Path> {
    if text.contains('\\') {
        return None;
    }
    let path = NormalPath::new(text).ok()?;
    Some((path.is_absolute(), path.segments().to_owned()))
}

/// Whether a text that counts as a path is meant as one, and is no address or sentence.
fn looks_like_file(text: &str) -> bool {
    let begins_like_one = text.starts_with('/') || text.starts_with("./");
    !text.contains("://") && (begins_like_one || !text.contains(char::is_whitespace))
}

/// The directory a path is in. The root and the working directory are none: they hold everything.
fn parent((is_absolute, text): &Path) -> Option<Path> {
    let (directory, _) = text.rsplit_once('/')?;
    Some((*is_absolute, directory.to_owned()))
}

/// A path itself and the directories above it, the topmost first.
fn ancestors((is_absolute, text): &Path) -> Vec<Path> {
    let ends = text.match_indices('/').map(|(end, _)| end);
    ends.chain([text.len()])
        .map(|end| (*is_absolute, text.get(..end).unwrap_or_default().to_owned()))
        .collect()
}

/// The pattern that matches one path.
fn pattern(is_absolute: bool, text: &str) -> String {
    let start = if is_absolute { "/" } else { "./" };
    format!("{start}{}", super::write::literal_glob(text))
}

fn is_inside(globs: &[PathGlob], (is_absolute, text): &Path) -> bool {
    let start = if *is_absolute { "/" } else { "./" };
    NormalPath::new(&format!("{start}{text}"))
        .is_ok_and(|path| globs.iter().any(|glob| glob.is_match(&path)))
}

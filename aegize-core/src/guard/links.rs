//! Where a path really leads on this host.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::pattern::{Followed, NormalPath, Resolver};

/// The most symbolic links that are followed for one path, as on Linux.
const MOST_LINKS: usize = 40;

/// The longest name there can be, in bytes: Linux's `NAME_MAX`.
const LONGEST_NAME: usize = 255;

/// This host's file system, seen from the working directory, during one call: what was found
/// once is not looked up again.
#[derive(Default)]
pub(super) struct Host {
    found: RefCell<HashMap<String, Option<Rc<Followed>>>>,
}

impl Resolver for Host {
    fn follow(&self, path: &str) -> Option<Rc<Followed>> {
        if let Some(found) = self.found.borrow().get(path) {
            return found.clone();
        }
        let found = follow(Path::new(path)).map(Rc::new);
        self.found
            .borrow_mut()
            .insert(path.to_owned(), found.clone());
        found
    }
}

/// Follows a path the way the operating system would, link by link. What does not exist yet is
/// taken as it is written: a tool may be about to make it. `None` if it cannot be followed: too
/// many links, names too long to look up, no permission, a failing disk, or a link that only
/// looks like one.
fn follow(path: &Path) -> Option<Followed> {
    let mut real = if path.is_absolute() {
        PathBuf::from("/")
    } else {
        // The working directory's own path is free of links.
        env::current_dir().ok()?
    };
    let mut ahead: VecDeque<OsString> = names(path).collect();
    let mut entry = None;
    let mut aliases = Vec::new();
    // How many segments at the end of `real` do not exist: what is below them does not, either.
    let mut missing = 0_usize;
    while let Some(name) = ahead.pop_front() {
        let next = if name == OsStr::new("..") {
            real.parent().unwrap_or(&real).to_owned()
        } else {
            real.join(&name)
        };
        if ahead.is_empty() && entry.is_none() {
            entry = Some(normal(&next)?);
        }
        if name == OsStr::new("..") {
            missing = missing.saturating_sub(1);
            real = next;
            continue;
        }
        let kind = if missing > 0 {
            Kind::Missing
        } else {
            Kind::of(&next)?
        };
        if kind != Kind::Link {
            missing += usize::from(kind == Kind::Missing);
            real = next;
            continue;
        }
        let alias = next.join(ahead.iter().collect::<PathBuf>());
        aliases.push(normal(&alias)?);
        if aliases.len() > MOST_LINKS || is_magic(&real) {
            return None;
        }
        let target = fs::read_link(&next).ok()?;
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            ahead.push_front(name);
        }
    }
    let target = normal(&real)?;
    Some(Followed {
        entry: entry.unwrap_or_else(|| target.clone()),
        target,
        names: aliases,
    })
}

/// What stands at a path.
#[derive(PartialEq, Eq)]
enum Kind {
    Link,
    Other,
    Missing,
}

impl Kind {
    /// `None` if it cannot be told.
    fn of(path: &Path) -> Option<Self> {
        match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_symlink() => Some(Self::Link),
            Ok(_) => Some(Self::Other),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => Some(Self::Missing),
                // A name that is too long cannot exist. A path that is too long only as a whole
                // can: it is reached step by step.
                ErrorKind::InvalidFilename => path
                    .file_name()
                    .is_some_and(|name| name.len() > LONGEST_NAME)
                    .then_some(Self::Missing),
                _ => None,
            },
        }
    }
}

/// Whether the links in a directory lead elsewhere than they say: those of a process in `/proc`,
/// such as `root`, `cwd` and `fd/3`.
fn is_magic(directory: &Path) -> bool {
    let mut names = directory.components().skip(1);
    let is_proc = names.next() == Some(Component::Normal(OsStr::new("proc")));
    let process = names.next().and_then(|name| name.as_os_str().to_str());
    is_proc && process.is_some_and(|name| name.chars().all(|c| c.is_ascii_digit()))
}

/// The path as patterns match it; `None` if it has no such form.
fn normal(path: &Path) -> Option<NormalPath<'static>> {
    let normal = NormalPath::literal(path.to_str()?).ok()?;
    Some(normal.into_owned())
}

/// A path's segments, `..` among them.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

//! Where a path really leads on this host.

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::pattern::{NormalPath, Resolver};

/// The most symbolic links that are followed for one path, as on Linux.
const MOST_LINKS: usize = 40;

/// This host's file system, seen from the working directory.
pub(super) struct Host;

impl Resolver for Host {
    fn real(&self, path: &str) -> Option<NormalPath> {
        let real = resolve(Path::new(path))?;
        NormalPath::new(real.to_str()?).ok()
    }
}

/// Follows a path the way the operating system would, link by link. What does not exist yet is
/// taken as it is written: a tool may be about to make it. `None` if it cannot be followed: too
/// many links, no permission, or a failing disk.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut real = if path.is_absolute() {
        PathBuf::from("/")
    } else {
        // The working directory's own path is free of links.
        env::current_dir().ok()?
    };
    let mut ahead: VecDeque<OsString> = names(path).collect();
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        if name == OsStr::new("..") {
            real.pop();
            continue;
        }
        let next = real.join(&name);
        let is_link = match fs::symlink_metadata(&next) {
            Ok(metadata) => metadata.is_symlink(),
            Err(error) => match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
                    false
                }
                _ => return None,
            },
        };
        if !is_link {
            real = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
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
    Some(real)
}

/// A path's segments, `..` among them.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    })
}

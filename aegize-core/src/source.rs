//! Where a context's policy comes from: [`PolicySource`], a policy that stays or a file that is
//! watched.
//!
//! The invariant: there is always one whole policy, the last that loaded. A call is judged by one
//! of them from beginning to end, whatever the file does meanwhile.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::policy::PermissionPolicy;
use crate::yaml::LoadError;

/// How often a watched file is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// A policy that may be replaced while calls are judged by it. Cheap to clone.
///
/// A [`PermissionPolicy`] is a source that stays as it is; [`watch`](Self::watch) follows a file.
///
/// ```no_run
/// # extern crate aegize_core as aegize;
/// use aegize::{AgentIdentity, AuditLog, GuardContext, PolicySource};
///
/// let policy = PolicySource::watch("aegize.yaml")?;
/// policy.on_reload(|outcome| match outcome {
///     Ok(policy) => eprintln!("policy {} is in force", policy.digest()),
///     Err(error) => eprintln!("the policy stays as it was:\n{error}"),
/// });
/// let context = GuardContext::new(
///     AgentIdentity::new("research_bot", "Research Bot", "Search Team")?,
///     policy,
///     AuditLog::open("audit.jsonl")?,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PolicySource(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(PermissionPolicy),
    Watched(Arc<Watched>),
}

/// Told of every attempt to replace a policy.
type Report = dyn Fn(Result<&PermissionPolicy, &LoadError>) + Send + Sync;

struct Watched {
    path: PathBuf,
    current: RwLock<PermissionPolicy>,
    /// Held by who looks at the file, so that an older text never replaces a newer one.
    seen: Mutex<Seen>,
    report: RwLock<Option<Arc<Report>>>,
    /// Dropped with the last source, which ends the thread.
    _alive: Sender<()>,
}

/// What is known of the file.
struct Seen {
    /// The state that was read last, or that could not be.
    read: Option<State>,
    /// The state at the last look.
    looked: Option<State>,
    error: Option<Arc<LoadError>>,
}

/// What a file looks like from outside.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    length: u64,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

impl PolicySource {
    /// Reads a policy file and keeps watching it: when it changes, it is loaded, checked and
    /// put in force as a whole. A file that does not load is reported, and the last good policy
    /// stays.
    ///
    /// The file is looked at once a second by a thread of its own, and read when it has not
    /// changed between two looks; a change is in force after about two seconds. To replace a
    /// file, write another beside it and rename it, so that no half of one is ever seen.
    ///
    /// # Errors
    ///
    /// As [`PermissionPolicy::from_yaml_file`], for the file as it is now; and if no thread can
    /// be started.
    pub fn watch(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let path = path.as_ref();
        let state = State::of(path);
        let policy = PermissionPolicy::from_yaml_file(path)?;
        let (alive, ended) = channel();
        let watched = Arc::new(Watched {
            path: path.to_owned(),
            current: RwLock::new(policy),
            seen: Mutex::new(Seen {
                read: state,
                looked: state,
                error: None,
            }),
            report: RwLock::new(None),
            _alive: alive,
        });
        let weak = Arc::downgrade(&watched);
        thread::Builder::new()
            .name("aegize-policy".to_owned())
            .spawn(move || watch(&weak, &ended))
            .map_err(|error| LoadError::unreadable(&error).in_file(path))?;
        Ok(Self(Kind::Watched(watched)))
    }

    /// The policy that is in force now.
    pub fn current(&self) -> PermissionPolicy {
        match &self.0 {
            Kind::Fixed(policy) => policy.clone(),
            Kind::Watched(watched) => read(&watched.current).clone(),
        }
    }

    /// Looks at the file at once, and tells whether another policy is in force now. A source
    /// that is not watched never changes.
    ///
    /// # Errors
    ///
    /// If the file does not load; the last good policy stays.
    pub fn reload(&self) -> Result<bool, Arc<LoadError>> {
        match &self.0 {
            Kind::Fixed(_) => Ok(false),
            Kind::Watched(watched) => {
                let mut seen = lock(&watched.seen);
                let state = State::of(&watched.path);
                seen.looked = state;
                watched.load(&mut seen, state)
            }
        }
    }

    /// Why the file as it is now is not in force, if it could not be loaded.
    pub fn error(&self) -> Option<Arc<LoadError>> {
        match &self.0 {
            Kind::Fixed(_) => None,
            Kind::Watched(watched) => lock(&watched.seen).error.clone(),
        }
    }

    /// Has a function called after every change of the file: with the policy that is in force
    /// from now on, or with the reason why the last good one stays. It replaces the function
    /// given before, and is called on the thread that noticed the change.
    pub fn on_reload(
        &self,
        report: impl Fn(Result<&PermissionPolicy, &LoadError>) + Send + Sync + 'static,
    ) {
        if let Kind::Watched(watched) = &self.0 {
            let report: Arc<Report> = Arc::new(report);
            *watched
                .report
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Some(report);
        }
    }
}

impl From<PermissionPolicy> for PolicySource {
    fn from(policy: PermissionPolicy) -> Self {
        Self(Kind::Fixed(policy))
    }
}

impl fmt::Debug for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("PolicySource");
        if let Kind::Watched(watched) = &self.0 {
            debug.field("path", &watched.path);
        }
        debug.field("digest", &self.current().digest()).finish()
    }
}

/// Looks at the file until nobody asks for its policy any more.
fn watch(watched: &Weak<Watched>, ended: &Receiver<()>) {
    while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let Some(watched) = watched.upgrade() else {
            return;
        };
        watched.look();
    }
}

impl Watched {
    /// Loads the file if it changed, and is not being changed right now.
    fn look(&self) {
        let mut seen = lock(&self.seen);
        let state = State::of(&self.path);
        let is_settled = seen.looked == state;
        seen.looked = state;
        if is_settled && seen.read != state {
            // The outcome is kept and reported.
            let _ = self.load(&mut seen, state);
        }
    }

    fn load(&self, seen: &mut Seen, state: Option<State>) -> Result<bool, Arc<LoadError>> {
        seen.read = state;
        let outcome = PermissionPolicy::from_yaml_file(&self.path);
        let report = read(&self.report).clone();
        let outcome = match outcome {
            Ok(policy) => {
                seen.error = None;
                let is_another = read(&self.current).digest() != policy.digest();
                if is_another {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = policy.clone();
                }
                Ok((is_another, policy))
            }
            Err(error) => {
                let error = Arc::new(error);
                seen.error = Some(Arc::clone(&error));
                Err(error)
            }
        };
        if let Some(report) = report {
            match &outcome {
                Ok((true, policy)) => report(Ok(policy)),
                Ok((false, _)) => {}
                Err(error) => report(Err(error)),
            }
        }
        outcome.map(|(is_another, _)| is_another)
    }
}

impl State {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(&metadata),
        })
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

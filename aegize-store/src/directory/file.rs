//! Approvers in a file, which people edit.
//!
//! The invariant: what the file says now counts, and if it says nothing that can be read, nobody is
//! known.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aegize_core::Approver;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::token::hashed;
use super::{KeptToken, TokenInfo};
use crate::__yaml::{self, Flaw};
use crate::error::StoreError;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

pub(super) struct ApproversFile {
    path: PathBuf,
    read: Mutex<Read>,
}

/// What was read last, and who is told if it is wrong.
struct Read {
    last: Option<(Result<Vec<u8>, StoreError>, Known)>,
    trouble: Box<dyn Fn(&str) + Send + Sync>,
}

type People = Vec<Person>;

type Known = Result<Arc<People>, StoreError>;

struct Person {
    approver: Approver,
    slack: Option<String>,
    /// The id of their token, and its hash.
    token: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    approvers: BTreeMap<String, Spanned<WrittenPerson>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPerson {
    #[serde(default)]
    groups: Vec<String>,
    slack: Option<String>,
    token: Option<String>,
}

impl ApproversFile {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = Self {
            path: path.to_owned(),
            read: Mutex::new(Read {
                last: None,
                trouble: Box::new(|_| ()),
            }),
        };
        file.people()?;
        Ok(file)
    }

    /// From now on, that is told what is wrong with the file.
    pub(super) fn on_trouble(&self, tell: impl Fn(&str) + Send + Sync + 'static) {
        self.read().trouble = Box::new(tell);
    }

    fn read(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn tokens(&self) -> Result<Vec<KeptToken>, StoreError> {
        Ok(self.people()?.iter().filter_map(Person::kept).collect())
    }

    pub(super) fn token(&self, id: &str) -> Result<Option<KeptToken>, StoreError> {
        let people = self.people()?;
        let has_it = |person: &&Person| person.token.as_ref().is_some_and(|token| token.0 == id);
        Ok(people.iter().find(has_it).and_then(Person::kept))
    }

    pub(super) fn by_slack(&self, user_id: &str) -> Result<Option<Approver>, StoreError> {
        self.find(|person| person.slack.as_deref() == Some(user_id))
    }

    pub(super) fn by_name(&self, name: &str) -> Result<Option<Approver>, StoreError> {
        self.find(|person| person.approver.name() == name)
    }

    fn find(&self, is_meant: impl Fn(&Person) -> bool) -> Result<Option<Approver>, StoreError> {
        let people = self.people()?;
        let found = people.iter().find(|person| is_meant(person));
        Ok(found.map(|person| person.approver.clone()))
    }

    /// Who is in the file now. It is small, and read each time: a time stamp would not tell all
    /// changes. What is wrong with it is told once, until it is something else.
    fn people(&self) -> Known {
        let bytes = self.bytes();
        let mut read = self.read();
        if let Some((known, people)) = &read.last
            && *known == bytes
        {
            return people.clone();
        }
        let people = bytes.clone().and_then(|bytes| {
            let people = parse(&bytes).map_err(|flaw| self.wrong(&flaw))?;
            Ok(Arc::new(people))
        });
        if let Err(error) = &people {
            (read.trouble)(&error.to_string());
        }
        read.last = Some((bytes, people.clone()));
        people
    }

    fn bytes(&self) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| {
                let shown = self.path.display();
                let message = format!("the approvers in `{shown}` cannot be read: {error}");
                StoreError::unavailable(message)
            })?;
        if u64::try_from(read).is_ok_and(|read| read <= LONGEST) {
            return Ok(bytes);
        }
        Err(self.wrong(&Flaw {
            place: Location::UNKNOWN,
            message: format!("it is longer than {LONGEST} bytes; keep them in a store"),
        }))
    }

    fn wrong(&self, flaw: &Flaw) -> StoreError {
        let (shown, message) = (self.path.display(), &flaw.message);
        let (line, column) = (flaw.place.line(), flaw.place.column());
        StoreError::malformed(match line {
            0 => format!("{shown}: {message}"),
            _ => format!("{shown}:{line}:{column}: {message}"),
        })
    }
}

impl Person {
    fn kept(&self) -> Option<KeptToken> {
        let (id, hash) = self.token.clone()?;
        Some(KeptToken {
            info: TokenInfo {
                id,
                approver: self.approver.clone(),
                slack: self.slack.clone(),
                created_at: None,
            },
            hash,
        })
    }
}

/// Who is in a file, or what is wrong with it.
fn parse(bytes: &[u8]) -> Result<People, Flaw> {
    let text = str::from_utf8(bytes).map_err(|_| Flaw {
        place: Location::UNKNOWN,
        message: "it is not UTF-8; save it as that".to_owned(),
    })?;
    let written: Written = __yaml::read(text)?;
    let (mut ids, mut users) = (HashSet::new(), HashSet::new());
    let mut people = Vec::new();
    for (name, person) in written.approvers {
        let place = person.referenced;
        let wrong = |problem: String| Flaw {
            place,
            message: format!("`{name}`: {problem}"),
        };
        let person = person.value.checked(&name).map_err(wrong)?;
        let id = person.token.as_ref().map(|(id, _)| id.clone());
        if id.is_some_and(|id| !ids.insert(id)) {
            return Err(wrong(
                "another person has this token; give each their own".to_owned(),
            ));
        }
        let slack = person.slack.clone();
        if slack.is_some_and(|user| !users.insert(user)) {
            return Err(wrong(
                "another person is this user in Slack; correct it".to_owned(),
            ));
        }
        people.push(person);
    }
    Ok(people)
}

impl WrittenPerson {
    fn checked(self, name: &str) -> Result<Person, String> {
        let mut approver = Approver::new(name).map_err(|error| error.to_string())?;
        for group in self.groups {
            approver = approver.group(group).map_err(|error| error.to_string())?;
        }
        let token = match &self.token {
            None => None,
            Some(text) => {
                let (id, hash) = hashed(text).ok_or(
                    "the token is no hash of one; write it as `agz_ID:$argon2id$…`, not the token",
                )?;
                Some((id.to_owned(), hash.to_owned()))
            }
        };
        Ok(Person {
            approver,
            slack: self.slack,
            token,
        })
    }
}

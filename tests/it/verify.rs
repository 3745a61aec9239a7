//! Whatever is done to a log is reported, at the line where it was done.

mod changed;
mod golden;
mod naive;

use std::fs;
use std::num::NonZero;
use std::thread;

use aegize::tlog::leaf;
use aegize::{LogFlawKind as Kind, LogVerdict, LogVerifier};
use tempfile::TempDir;

use self::golden::{Files, Golden};
use self::naive::{Naive, naive};

/// Golden logs, each with what is special about it.
fn logs() -> Vec<Golden> {
    vec![
        Golden::of_today(),
        Golden::with_an_old_part(),
        Golden::of_today().split_at(&[4, 5, 9]),
        Golden::with_an_old_part().split_at(&[2, 6]),
    ]
}

/// A change, the position of the first line that it changes, and what it may be called.
struct Change {
    files: Files,
    position: usize,
    kinds: &'static [Kind],
}

/// The file and the number of the line at a position; or the number after the last.
fn place(files: &Files, position: usize) -> (usize, u64) {
    let mut before = 0;
    for (file, (_, lines)) in files.iter().enumerate() {
        if position < before + lines.len() {
            return (file, (position - before) as u64 + 1);
        }
        before += lines.len();
    }
    (files.len() - 1, files[files.len() - 1].1.len() as u64 + 1)
}

/// A log with its lines changed, wherever they are.
fn edit(golden: &Golden, position: usize, change: impl FnOnce(&mut Vec<Vec<u8>>, usize)) -> Files {
    let mut files = golden.files.clone();
    let (file, line) = place(&files, position);
    change(&mut files[file].1, usize::try_from(line).unwrap() - 1);
    files
}

/// Checks changes of a log, on all processors, with the checkpoint of its end or without.
fn assert_reported(golden: &Golden, changes: &[Change], knows_the_end: bool) {
    assert!(!changes.is_empty());
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for part in changes.chunks(changes.len().div_ceil(threads)) {
            scope.spawn(move || {
                let directory = TempDir::new().unwrap();
                let checkpoints = if knows_the_end {
                    vec![golden.checkpoint(golden.lines().count())]
                } else {
                    vec![]
                };
                for change in part {
                    let verdict = golden.verify(directory.path(), &change.files, &checkpoints);
                    assert_told(golden, change, &verdict, knows_the_end);
                }
            });
        }
    });
}

fn assert_told(golden: &Golden, change: &Change, verdict: &LogVerdict, knows_the_end: bool) {
    let Change {
        files,
        position,
        kinds,
    } = change;
    let told = || {
        let text: Vec<u8> = files.iter().flat_map(|(_, lines)| lines.concat()).collect();
        let text = String::from_utf8_lossy(&text).into_owned();
        format!(
            "{} {position} {knows_the_end}\n{verdict:?}\n{text}",
            golden.name
        )
    };
    let is_last = position + 1 >= golden.lines().count();
    let LogVerdict::Broken(flaw) = verdict else {
        // No line vouches for the last, nor for those of an old part.
        let is_free = is_last || position + 1 < golden.unlinked;
        assert!(is_free && !knows_the_end, "{}", told());
        return;
    };
    let (earliest, at) = (flaw.earliest().unwrap(), flaw.position().unwrap());
    let (earliest, at) = (
        usize::try_from(earliest).unwrap(),
        usize::try_from(at).unwrap(),
    );
    if *position < golden.unlinked {
        assert!((earliest..=at).contains(position), "{}", told());
    } else if is_last && !knows_the_end {
        assert!(at <= *position && position - at <= 1, "{}", told());
    } else {
        assert_eq!(at, *position, "{}", told());
        assert!(kinds.contains(&flaw.kind()), "{}", told());
    }
    let (file, line) = place(files, at);
    assert_eq!(flaw.line(), Some(line), "{}", told());
    let name = format!("{:020}.jsonl", files[file].0);
    assert!(
        files.len() == 1 || flaw.file().ends_with(name),
        "{}",
        told()
    );
}

#[test]
fn a_log_as_it_was_written_is_intact() {
    for golden in logs() {
        let directory = TempDir::new().unwrap();
        let count = golden.lines().count();
        for size in 0..=count {
            let checkpoints = [golden.checkpoint(size), golden.checkpoint(count)];
            let verdict = golden.verify(directory.path(), &golden.files, &checkpoints);
            let LogVerdict::Intact(log) = verdict else {
                panic!("{} {size}: {verdict:?}", golden.name);
            };
            assert_eq!(log.head(), golden.head(count));
            assert_eq!(log.unlinked(), golden.unlinked as u64);
            assert_eq!(log.checkpoints().len(), 2);
        }
    }
}

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// Gives lines from one on the places and links that they would have.
fn link_anew(lines: &mut [Vec<u8>], from: usize) {
    for at in from..lines.len() {
        let Ok(serde_json::Value::Object(mut record)) = serde_json::from_slice(&lines[at]) else {
            return;
        };
        if record.contains_key("seq") {
            record.insert("seq".to_owned(), at.into());
        }
        if record.contains_key("prev") {
            let before = at
                .checked_sub(1)
                .map(|before| leaf(lines[before].trim_ascii_end()));
            let before = before.unwrap_or_default().to_string();
            record.insert("prev".to_owned(), before.into());
        }
        lines[at] = format!("{}\n", serde_json::Value::from(record)).into_bytes();
    }
}

/// Does something to a log.
fn change(lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    let at = random.below(lines.len());
    let other = random.below(lines.len());
    match random.below(8) {
        0 => {
            let byte = random.below(lines[at].len());
            lines[at][byte] ^= 1 << random.below(8);
        }
        1 => drop(lines.remove(at)),
        2 => lines.insert(at, lines[other].clone()),
        3 => lines.swap(at, other),
        4 => {
            let line = lines.remove(at);
            lines.insert(other.min(lines.len()), line);
        }
        5 => {
            lines.truncate(at + 1);
            let length = random.below(2 * lines[at].len());
            lines[at].truncate(length + 1);
        }
        6 => {
            let edited = String::from_utf8_lossy(&lines[at]).replace("low", "high");
            lines[at] = edited.into_bytes();
            link_anew(lines, at + 1);
        }
        _ => link_anew(lines, at),
    }
}

#[test]
fn the_verifier_says_what_a_naive_one_says() {
    let mut random = Random(7);
    let mut said = std::collections::BTreeMap::<_, usize>::new();
    let directory = TempDir::new().unwrap();
    for golden in [Golden::of_today(), Golden::with_an_old_part()] {
        let count = golden.lines().count();
        for _ in 0..3_000 {
            let mut lines = golden.files[0].1.clone();
            for _ in 0..random.below(4) {
                if !lines.is_empty() {
                    change(&mut lines, &mut random);
                }
            }
            let mut sizes: Vec<usize> = (0..random.below(3))
                .map(|_| random.below(count + 1))
                .collect();
            sizes.sort_unstable();
            let heads: Vec<_> = sizes.iter().map(|size| golden.head(*size)).collect();
            let notes: Vec<_> = sizes.iter().map(|size| golden.checkpoint(*size)).collect();
            let expected = naive(&lines.concat(), &heads);
            let verdict = golden.verify(directory.path(), &vec![(0, lines.clone())], &notes);
            let told = || {
                let text = lines.concat();
                let text = String::from_utf8_lossy(&text).into_owned();
                format!(
                    "{} {sizes:?} {expected:?}\n{verdict:?}\n{text}",
                    golden.name
                )
            };
            let place = match &verdict {
                LogVerdict::Intact(_) => None,
                LogVerdict::Broken(flaw) => flaw.position().map(|at| usize::try_from(at).unwrap()),
            };
            let agrees = match expected {
                Naive::Intact => place.is_none(),
                // The line before may be the one that was changed.
                Naive::Misplaced(at) => place.is_some_and(|place| place == at || place + 1 == at),
                Naive::Rewritten(size) => place.is_none_or(|place| place as u64 + 1 == size),
                Naive::Truncated(at) => place == Some(at),
            };
            let is_intact = matches!(verdict, LogVerdict::Intact(_));
            assert!(
                agrees && is_intact == (expected == Naive::Intact),
                "{}",
                told()
            );
            let kind = match &verdict {
                LogVerdict::Intact(_) => "intact",
                LogVerdict::Broken(flaw) => flaw.kind().as_str(),
            };
            *said.entry(kind).or_default() += 1;
        }
    }
    assert!(
        said.len() >= 10 && said.values().all(|times| *times > 2),
        "{said:?}"
    );
}

#[test]
fn lines_that_are_not_records_are_told_however_long_they_are() {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let golden = Golden::of_today();
    let lines: Vec<u8> = golden.files[0].1.concat();
    let padded = |length: usize| format!("{{\"a\":\"{}\"}}\n", "x".repeat(length)).into_bytes();
    let rows: [(Vec<u8>, &str); 6] = [
        (padded(17 << 20), "the line is longer than any record"),
        (
            b"\n".to_vec(),
            "the line is no record: EOF while parsing a value",
        ),
        (b"[1]\n".to_vec(), "expected a JSON object"),
        (
            b"{\"seq\":11,\"seq\":11}\n".to_vec(),
            "duplicate field `seq`",
        ),
        (b"{\"a\":\x80}\n".to_vec(), "it is not UTF-8 from byte 6 on"),
        (b"{} {}\n".to_vec(), "trailing characters in column 4"),
    ];
    for (line, told) in rows {
        fs::write(&log, [&lines[..], &line[..]].concat()).unwrap();
        for threads in [1, 2, 5] {
            let verifier = LogVerifier::new(&log).threads(NonZero::new(threads).unwrap());
            let LogVerdict::Broken(flaw) = verifier.verify().unwrap() else {
                panic!("{told}");
            };
            assert_eq!(
                (flaw.kind(), flaw.position()),
                (Kind::NotJson, Some(11)),
                "{told}"
            );
            assert!(flaw.to_string().contains(told), "{flaw}");
        }
    }
}

/// A log of many chunks, with lines that are longer than one, to the byte on any number of threads.
#[test]
fn threads_and_chunks_make_no_difference() {
    let directory = TempDir::new().unwrap();
    let log = directory.path().join("log");
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let record = Golden::of_today().files[0].1[0].clone();
    for number in 0..6_000 {
        let mut line = record.clone();
        if number % 1_500 == 700 {
            let begin = format!(r#"{{"long":"{}","#, "y".repeat(3 << 20));
            line.splice(..1, begin.into_bytes());
        }
        lines.push(line);
    }
    link_anew(&mut lines, 0);
    let text = lines.concat();
    fs::write(&log, &text).unwrap();
    for threads in [1, 2, 3, 8] {
        let verifier = LogVerifier::new(&log).threads(NonZero::new(threads).unwrap());
        let mut told = Vec::new();
        let verdict = verifier.verify_watched(|done, length| told.push((done, length)));
        let LogVerdict::Intact(intact) = verdict.unwrap() else {
            panic!("{threads}");
        };
        assert_eq!(intact.head().size, 6_000);
        let length = text.len() as u64;
        assert_eq!(told.last(), Some(&(length, Some(length))));
        assert!(told.len() > 4 && told.is_sorted());
    }
    let edited = String::from_utf8(lines[5_000].clone()).unwrap();
    lines[5_000] = edited.replace("bot", "bat").into_bytes();
    fs::write(&log, lines.concat()).unwrap();
    for threads in [1, 2, 3, 8] {
        let verifier = LogVerifier::new(&log).threads(NonZero::new(threads).unwrap());
        let LogVerdict::Broken(flaw) = verifier.verify().unwrap() else {
            panic!("{threads}");
        };
        assert_eq!((flaw.kind(), flaw.line()), (Kind::Edited, Some(5_001)));
    }
}

#[test]
fn lines_that_are_made_to_fit_are_told_from_those_that_were_written() {
    let golden = Golden::of_today();
    let directory = TempDir::new().unwrap();
    let written = &golden.files[0].1;
    let told = |lines: &[Vec<u8>], sizes: &[usize], kind: Kind, position: u64| {
        let notes: Vec<_> = sizes.iter().map(|size| golden.checkpoint(*size)).collect();
        let files = vec![(0, lines.to_vec())];
        let LogVerdict::Broken(flaw) = golden.verify(directory.path(), &files, &notes) else {
            panic!("{kind} {position}");
        };
        assert_eq!(
            (flaw.kind(), flaw.position()),
            (kind, Some(position)),
            "{flaw}"
        );
    };
    let edited = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        text.replacen("bot", "bat", 1).into_bytes()
    };

    // A record, copied or moved to before its place, or behind it.
    let mut lines = written.clone();
    lines.insert(3, written[6].clone());
    told(&lines, &[], Kind::Inserted, 3);
    lines.remove(7);
    told(&lines, &[], Kind::Reordered, 3);
    let mut lines = written.clone();
    lines.insert(7, written[3].clone());
    told(&lines, &[], Kind::Inserted, 7);
    lines.remove(3);
    told(&lines, &[], Kind::Reordered, 3);

    // Two lines that both fit behind the one before: the next tells which was written.
    let mut lines = written.clone();
    lines.insert(5, edited(&written[5]));
    told(&lines, &[], Kind::Inserted, 5);
    lines.swap(5, 6);
    told(&lines, &[], Kind::Inserted, 6);

    // A checkpoint tells of a line that the next cannot tell of any more.
    let mut lines = written.clone();
    lines[4] = edited(&written[4]);
    lines[5] = b"nonsense\n".to_vec();
    told(&lines, &[], Kind::NotJson, 5);
    told(&lines, &[5], Kind::Forked, 4);

    // All links are made anew from an edit on, up to the end or not.
    let mut lines = written.clone();
    lines[4] = edited(&written[4]);
    link_anew(&mut lines, 5);
    told(&lines, &[4, 8], Kind::Forked, 7);
    told(&lines, &[4, 5], Kind::Forked, 4);
    lines.truncate(8);
    lines.extend_from_slice(&written[8..]);
    told(&lines, &[], Kind::Edited, 7);

    // The chain holds, and the positions do not.
    let mut lines: Vec<Vec<u8>> = written.clone();
    let odd = String::from_utf8_lossy(&lines[9]).replace("\"seq\":9,", "\"seq\":90,");
    lines[9] = odd.into_bytes();
    let hash = leaf(lines[9].trim_ascii_end()).to_string();
    let before = leaf(written[9].trim_ascii_end()).to_string();
    let next = String::from_utf8_lossy(&lines[10]).replace(&before, &hash);
    lines[10] = next.into_bytes();
    told(&lines, &[], Kind::WrongSeq, 9);
}

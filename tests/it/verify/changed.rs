//! One change of a log: every byte, line, file and end.

use aegize::{LogFlawKind as Kind, LogVerdict};
use tempfile::TempDir;

use super::golden::{Files, Golden};
use super::{Change, assert_reported, edit, logs, place};

/// A log with each of its bytes made another.
fn flips(golden: &Golden, flip: fn(u8) -> u8) -> Vec<Change> {
    let mut changes = Vec::new();
    for (position, line) in golden.lines().enumerate() {
        for at in 0..line.len() {
            let flipped = flip(line[at]);
            if flipped != line[at] {
                changes.push(Change {
                    files: edit(golden, position, |lines, line| lines[line][at] = flipped),
                    position,
                    kinds: &[
                        Kind::Edited,
                        Kind::NotJson,
                        Kind::WrongSeq,
                        Kind::MissingPrev,
                        Kind::Forked,
                        Kind::Torn,
                        Kind::Truncated,
                    ],
                });
            }
        }
    }
    changes
}

#[test]
fn every_byte_that_is_flipped() {
    for golden in logs() {
        assert_reported(&golden, &flips(&golden, |byte| byte ^ 1), true);
    }
    for golden in [Golden::of_today(), Golden::with_an_old_part()] {
        assert_reported(&golden, &flips(&golden, |byte| byte ^ 2), false);
    }
    let golden = Golden::of_today();
    for flip in [|byte| byte ^ 0x80, |_| b'\n', |_| b'"'] {
        assert_reported(&golden, &flips(&golden, flip), true);
    }
}

#[test]
fn every_line_that_is_removed_or_doubled() {
    for golden in logs() {
        let mut changes = Vec::new();
        for position in 0..golden.lines().count() {
            changes.push(Change {
                files: edit(&golden, position, |lines, line| drop(lines.remove(line))),
                position,
                kinds: &[Kind::Removed, Kind::MissingSegment, Kind::Truncated],
            });
            changes.push(Change {
                files: edit(&golden, position, |lines, line| {
                    lines.insert(line, lines[line].clone());
                }),
                position: position + 1,
                kinds: &[Kind::Inserted],
            });
        }
        assert_reported(&golden, &changes, true);
        assert_reported(&golden, &changes, false);
    }
}

#[test]
fn every_two_lines_that_are_swapped() {
    for golden in logs() {
        let lines: Vec<&Vec<u8>> = golden.lines().collect();
        let mut changes = Vec::new();
        for second in 0..lines.len() {
            for first in 0..second {
                let mut files = golden.files.clone();
                for (here, other) in [(first, second), (second, first)] {
                    let (file, line) = place(&files, here);
                    files[file].1[usize::try_from(line).unwrap() - 1] = lines[other].clone();
                }
                changes.push(Change {
                    files,
                    position: first,
                    kinds: &[Kind::Reordered],
                });
            }
        }
        assert_reported(&golden, &changes, true);
        assert_reported(&golden, &changes, false);
    }
}

#[test]
fn every_truncation() {
    for golden in logs() {
        let end = golden.checkpoint(golden.lines().count());
        let directory = TempDir::new().unwrap();
        let (mut files, mut position): (Files, _) = (Vec::new(), 0);
        for (first_seq, lines) in &golden.files {
            files.push((*first_seq, Vec::new()));
            for line in lines {
                for length in 0..line.len() {
                    let mut files = files.clone();
                    let last = files.len() - 1;
                    if length > 0 {
                        files[last].1.push(line[..length].to_vec());
                    }
                    let told = format!("{} {position} {length}", golden.name);
                    let LogVerdict::Broken(flaw) =
                        golden.verify(directory.path(), &files, std::slice::from_ref(&end))
                    else {
                        panic!("{told}");
                    };
                    assert_eq!(flaw.kind(), Kind::Truncated, "{told}");
                    assert_eq!(flaw.position(), Some(position), "{told}");
                    let number = files[last].1.len() as u64 + u64::from(length == 0);
                    assert_eq!(flaw.line(), Some(number), "{told}");
                    match golden.verify(directory.path(), &files, &[]) {
                        LogVerdict::Broken(flaw) => {
                            assert!(length > 0, "{told}");
                            assert_eq!(flaw.kind(), Kind::Torn, "{told}");
                            assert_eq!(
                                (flaw.position(), flaw.line()),
                                (Some(position), Some(number))
                            );
                        }
                        LogVerdict::Intact(log) => {
                            assert_eq!((length, log.head().size), (0, position), "{told}");
                        }
                    }
                }
                files.last_mut().unwrap().1.push(line.clone());
                position += 1;
            }
        }
    }
}

#[test]
fn segments_that_are_removed_swapped_renamed_or_emptied() {
    let golden = Golden::of_today().split_at(&[4, 5, 9]);
    let directory = TempDir::new().unwrap();
    let count = golden.lines().count();
    let end = golden.checkpoint(count);
    let starts: Vec<u64> = golden
        .files
        .iter()
        .map(|(first_seq, _)| *first_seq)
        .collect();
    let told = |files: &Files, position: u64, kinds: &[Kind]| {
        for checkpoints in [std::slice::from_ref(&end), &[]] {
            let LogVerdict::Broken(flaw) = golden.verify(directory.path(), files, checkpoints)
            else {
                panic!("{position} {kinds:?}");
            };
            assert_eq!(flaw.position(), Some(position), "{flaw:?}");
            assert!(kinds.contains(&flaw.kind()), "{flaw:?}");
        }
    };
    for at in 0..starts.len() {
        let mut files = golden.files.clone();
        let removed = files.remove(at);
        let is_last = at + 1 == starts.len();
        if is_last {
            let verdict = golden.verify(directory.path(), &files, std::slice::from_ref(&end));
            let LogVerdict::Broken(flaw) = verdict else {
                panic!()
            };
            assert_eq!(
                (flaw.kind(), flaw.position()),
                (Kind::Truncated, Some(starts[at]))
            );
        } else {
            told(&files, starts[at], &[Kind::MissingSegment]);
        }

        let mut files = golden.files.clone();
        files[at].1.clear();
        if !is_last {
            told(&files, starts[at], &[Kind::MissingSegment]);
        }

        // Cut, with a file behind it that has nothing but its name.
        let mut files = golden.files.clone();
        files[at].1.pop();
        files.push((count as u64, Vec::new()));
        let end_of_file = starts[at] + removed.1.len() as u64 - 1;
        told(&files, end_of_file, &[Kind::MissingSegment]);

        if at > 0 {
            let mut files = golden.files.clone();
            files[at].0 -= 1;
            if files[at].0 > files[at - 1].0 {
                told(&files, starts[at], &[Kind::WrongSeq]);
            }
        }
        for other in 0..at {
            let mut files = golden.files.clone();
            let lines = std::mem::replace(&mut files[at].1, golden.files[other].1.clone());
            files[other].1 = lines;
            told(&files, starts[other], &[Kind::Reordered]);
        }
    }
}

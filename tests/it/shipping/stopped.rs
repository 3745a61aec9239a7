//! A log that is not the one that was delivered, and cursors that say nothing: never delivered, and
//! never in silence.

use super::*;

/// That nothing is delivered, and why.
#[track_caller]
fn assert_stopped(shipper: &Shipper, problem: &str) {
    let error = shipper.drain(LONG).unwrap_err();
    assert_eq!(error.kind(), ShipErrorKind::Stopped);
    let status = shipper.status();
    assert_eq!(status.state, SinkState::Stopped);
    let told = status.error.unwrap();
    assert!(told.contains(problem), "{told}");
    assert!(error.to_string().ends_with(&told), "{error}");
}

const FORKED: &str = "is not the log that was delivered: record 4 is another or is gone; find out \
                      who cut or replaced it (`aegize audit verify`), and put it back, or remove \
                      the cursor to deliver this log from its beginning";

/// What happens to a log of which five records have been delivered.
type Misfortune = fn(&Path);

const MISFORTUNES: [(&str, Misfortune); 7] = [
    ("cut", |log| fs::write(log, lines(0, 4)).unwrap()),
    ("emptied", |log| fs::write(log, "").unwrap()),
    ("gone", |log| fs::remove_file(log).unwrap()),
    ("cut in a line", |log| {
        let text = lines(0, 5);
        fs::write(log, &text[..text.len() - 1]).unwrap();
    }),
    ("another, longer one", |log| {
        fs::write(log, lines(7, 70)).unwrap();
    }),
    ("rewritten", |log| {
        fs::write(log, lines(0, 9).replace(":4}", ":5}")).unwrap();
    }),
    ("other lengths", |log| {
        let text = lines(0, 9).replace("{\"seq\":0}", "{\"seq\": 0}");
        fs::write(log, text).unwrap();
    }),
];

#[test]
fn a_log_that_is_another_is_not_delivered_until_it_is_put_back() {
    for (name, misfortune) in MISFORTUNES {
        for is_running in [true, false] {
            let (_directory, log) = log();
            add(&log, &lines(0, 5));
            let received = Received::default();
            let mut shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
            shipper.drain(LONG).unwrap();
            if is_running {
                misfortune(&log);
            } else {
                drop(shipper);
                misfortune(&log);
                shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
            }
            assert_stopped(&shipper, FORKED);
            assert_stopped(&shipper, FORKED);
            assert_eq!(received.text(), lines(0, 5), "{name}");

            fs::write(&log, lines(0, 6)).unwrap();
            shipper.drain(LONG).unwrap();
            assert_eq!(received.text(), lines(0, 6), "{name}, put back");
            assert_eq!(shipper.status().state, SinkState::Delivering);
        }
    }
}

#[test]
fn without_the_cursor_another_log_begins_anew() {
    let (_directory, log) = log();
    add(&log, &lines(0, 5));
    let received = Received::default();
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    fs::write(&log, lines(7, 9)).unwrap();
    assert_stopped(&shipper, FORKED);
    fs::remove_file(beside(&log, "cursor-siem")).unwrap();
    shipper.drain(LONG).unwrap();
    assert_eq!(received.text(), lines(0, 5) + &lines(7, 9));
}

/// A batch may have been delivered and not been noted: it must still be there as it was.
#[test]
fn a_log_that_was_changed_where_a_batch_was_under_way_is_another() {
    for text in [
        lines(0, 4),
        lines(0, 5),
        lines(0, 9).replace(":4}", ":5}"),
        lines(0, 4) + "\n",
        lines(0, 4) + &lines(10, 20),
    ] {
        let (_directory, log) = log();
        add(&log, &lines(0, 5));
        drop(start_busy(&log));
        fs::write(&log, &text).unwrap();
        let received = Received::default();
        let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
        if text == lines(0, 5) {
            shipper.drain(LONG).unwrap();
            assert_eq!(received.text(), text);
        } else {
            assert_stopped(&shipper, FORKED);
            assert_eq!(received.text(), "");
        }
    }
}

#[test]
fn a_damaged_cursor_is_none_to_begin_with() {
    let (_directory, log) = log();
    add(&log, &lines(0, 5));
    let received = Received::default();
    let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
    shipper.drain(LONG).unwrap();
    drop(shipper);
    let cursor = beside(&log, "cursor-siem");
    let good = fs::read_to_string(&cursor).unwrap();
    let delivered = good.find("\"under_way\"").unwrap();
    let damaged = "cursor-siem` is damaged (";
    let cases = [
        (String::new(), damaged),
        ("{}".to_owned(), damaged),
        ("null".to_owned(), damaged),
        ("\0\0\0\0".to_owned(), damaged),
        (good[..good.len() / 2].to_owned(), damaged),
        (format!("{good}{good}"), damaged),
        (format!("{{\"version\":1,{}", &good[delivered..]), damaged),
        (good.replace("delivered", "deliver3d"), damaged),
        (good.replace("next_seq\":5", "next_seq\":-5"), damaged),
        (good.replace("leaf\":\"", "leaf\":\"x"), damaged),
        (good.replace("offset\":5", "offset\":4"), FORKED),
        (good.replace("length\":1", "length\":2"), FORKED),
        (
            good.replace("version\":1", "version\":2"),
            "is of version 2",
        ),
    ];
    for (text, problem) in cases {
        assert_ne!(text, good, "a damage");
        fs::write(&cursor, &text).unwrap();
        let shipper = Shipper::start(&log, "siem", willing(&received)).unwrap();
        assert_stopped(&shipper, problem);
        drop(shipper);
        assert_eq!(fs::read_to_string(&cursor).unwrap(), text, "left alone");
    }
    assert_eq!(received.text(), lines(0, 5));
}

#[test]
fn segments_that_are_missing_or_cut_are_not_skipped() {
    type Segments = &'static [(usize, &'static str)];
    let cases: [(Segments, &str, usize); 4] = [
        (
            &[(2, "2\n")],
            "begins with record 2, and record 0 comes next",
            0,
        ),
        (
            &[(0, "0\n"), (2, "2\n")],
            "begins with record 2, and record 1 comes next; put the files",
            1,
        ),
        (
            &[(0, "0\n1"), (2, "2\n")],
            "does not end with a whole record, and yet another file",
            1,
        ),
        (
            &[(0, "0\n1\n"), (1, "1\n")],
            "begins with record 1, and record 2 comes next",
            2,
        ),
    ];
    for (segments, problem, delivered) in cases {
        let directory = directory();
        for (first, text) in segments {
            add(&directory.path().join(format!("{first:020}.jsonl")), text);
        }
        let received = Received::default();
        let shipper = Shipper::start(directory.path(), "siem", willing(&received)).unwrap();
        assert_stopped(&shipper, problem);
        assert_eq!(received.text().lines().count(), delivered, "{problem}");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_no_log_to_deliver() {
    let (directory, _) = log();
    let pipe = directory.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let shipper = Shipper::start(&pipe, "siem", willing(&Received::default())).unwrap();
    assert_stopped(
        &shipper,
        "pipe` is no file; records are delivered from a file",
    );
}

//! Checkpoints, and what those are told who ask.

use super::*;

#[test]
fn a_checkpoint_is_published_after_its_records_and_once() {
    let mut world = World::new(limits(2, 100, 0));
    let mut delivery = world.delivery();
    let note = |size: u64| format!("log\n{size}\nhash\n\n\u{2014} log AAAA\n");
    let checkpoint = world.beside("checkpoint");
    let write = |size| fs::write(&checkpoint, note(size)).unwrap();
    world.add("a\nb\nc\n");
    write(3);
    world.step(&mut delivery);
    // The writer is ahead: the one that was seen first is published all the same.
    write(9);
    world.settle(&mut delivery);
    assert_eq!(world.sink.script().published, [(3, note(3))]);
    assert_eq!(world.board.status().published, 3);
    world.add("d\ne\nf\ng\nh\ni\n");
    let busy = Err(SinkError::unavailable("busy"));
    world.sink.script().answers = [Ok(()), Ok(()), Ok(()), busy].into();
    assert_eq!(world.settle(&mut delivery), ms(125));
    world.now += ms(125);
    world.settle(&mut delivery);
    let published = std::mem::take(&mut world.sink.script().published);
    assert_eq!(published, [(3, note(3)), (9, note(9)), (9, note(9))]);
    drop(delivery);

    let mut delivery = world.delivery();
    world.settle(&mut delivery);
    write(8);
    world.settle(&mut delivery);
    assert_eq!(
        world.sink.script().published,
        [],
        "not again, nor an older one"
    );
    fs::write(&checkpoint, "log\n").unwrap();
    world.add("j\n");
    world.settle(&mut delivery);
    assert!(world.error().contains("is no checkpoint"));
    assert_eq!(world.board.status().next_seq, 10, "records go on");
    assert_eq!(world.board.status().failures, 0);

    world.sink.script().refuses = "AAAA";
    write(10);
    world.settle(&mut delivery);
    assert_eq!(world.board.status().error, None);
    assert_eq!(world.board.status().published, 10);
    let kept = fs::read_to_string(world.beside("rejected-s")).unwrap();
    assert!(kept.starts_with("{\"size\":10,\"error\":\"will not have it\",\"text\":\"log\\n10"));
}

#[test]
fn drained_is_what_was_there_when_it_was_asked_for() {
    let mut world = World::new(limits(1, 100, 0));
    let mut delivery = world.delivery();
    world.wanted = 1;
    world.settle(&mut delivery);
    assert_eq!(delivery.drained, 1, "there is no log, and nothing in it");
    world.add("a\nb\n");
    world.wanted = 2;
    let mut steps = 0;
    while delivery.drained < 2 {
        world.step(&mut delivery);
        // Somebody writes faster than the receiver takes it.
        world.add("more\nmore\n");
        steps += 1;
        assert!(steps < 100, "no end");
    }
    assert_eq!((steps, delivery.status.next_seq), (3, 3));
}

#[test]
fn lag_is_told_in_bytes_and_since_when() {
    let world = World::new(limits(1, 100, 0));
    let mut delivery = world.delivery();
    let old = r#"{"timestamp":"2026-06-27T18:00:00.123456+00:00","event":"allowed"}"#;
    world.add(&format!("{old}\nnext\n"));
    world.sink.script().answers = [Err(SinkError::unavailable("busy"))].into();
    world.settle(&mut delivery);
    let status = world.board.status();
    assert_eq!(status.lag_bytes, u64::try_from(old.len()).unwrap() + 6);
    let since = status.lagging_since.unwrap();
    assert_eq!(since.unix_timestamp_nanos(), 1_782_583_200_123_456_000);
}

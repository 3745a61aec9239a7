//! Whatever fails, and whenever a process ends.

use super::*;

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// The receiver has the log: every record in order, and
/// none twice but in a batch that is the one before.
#[test]
fn what_is_received_is_the_log() {
    let (mut repeats, mut refused, mut published) = (0, 0, 0);
    for seed in 0..300 {
        let random = &mut Random(seed);
        let mut world = World::new(limits(random.below(6), random.below(60), 200));
        let is_directory = random.below(2) == 0;
        if is_directory {
            fs::create_dir(&world.log).unwrap();
            world.sink.cursor = world.log.join("log.cursor-s");
        }
        let (log, beside) = (world.log.clone(), world.beside(""));
        let at = move |what: &str| {
            if is_directory {
                log.join(format!("log.{what}"))
            } else {
                PathBuf::from(format!("{}{what}", beside.display()))
            }
        };
        world.sink.script().refuses = "bad";
        let mut lines: Vec<String> = Vec::new();
        let mut file = world.log.clone();
        let mut delivery = world.delivery();
        for _ in 0..60 {
            match random.below(10) {
                0..4 => {
                    if is_directory && (lines.is_empty() || random.below(4) == 0) {
                        file = world.log.join(format!("{:020}.jsonl", lines.len()));
                    }
                    for _ in 0..random.below(5) {
                        let text = if random.below(15) == 0 { "bad" } else { "x" };
                        let line = format!("{}{}\n", lines.len(), text.repeat(random.below(20)));
                        add(&file, &line);
                        lines.push(line);
                    }
                }
                4 => {
                    let note = format!("log\n{}\nhash\n\n\u{2014} log AAAA\n", lines.len());
                    fs::write(at("checkpoint"), note).unwrap();
                }
                5 => {
                    for _ in 0..random.below(3) {
                        let error = Err(SinkError::unavailable("busy"));
                        world.sink.script().answers.push_back(error);
                    }
                    world.sink.script().panics = random.below(3) == 0;
                }
                6 => world.wanted += 1,
                _ => {
                    let calls = world.sink.script().calls.len();
                    let pause = world.step(&mut delivery);
                    world.now += pause / 2 * u32::try_from(random.below(4)).unwrap();
                    if random.below(4) == 0 {
                        // The process ends, perhaps before it notes what it has just delivered.
                        drop(delivery);
                        let script = world.sink.script();
                        let last = script.calls.get(calls..).and_then(<[Call]>::last);
                        if let Some(last) = last.filter(|_| random.below(2) == 0) {
                            fs::write(&world.sink.cursor, &last.cursor).unwrap();
                        }
                        drop(script);
                        delivery = world.delivery();
                    }
                }
            }
        }
        world.wanted += 1;
        let mut steps = 0;
        while delivery.drained < world.wanted {
            world.now += world.step(&mut delivery);
            steps += 1;
            assert!(steps < 10_000, "seed {seed}: no end");
        }

        let mut script = world.sink.script();
        let all = script.taken.len();
        script.taken.dedup();
        repeats += all - script.taken.len();
        let received: String = script.taken.iter().map(|(_, text)| &**text).collect();
        let is_bad = |line: &&String| line.contains("bad");
        let expected: String = lines.iter().filter(|line| !is_bad(line)).cloned().collect();
        assert_eq!(received, expected, "seed {seed}");
        let kept = fs::read_to_string(at("rejected-s")).unwrap_or_default();
        let bad: Vec<_> = lines.iter().filter(is_bad).collect();
        assert_eq!(kept.lines().count(), bad.len(), "seed {seed}");
        for (kept, bad) in kept.lines().zip(&bad) {
            let kept: serde_json::Value = serde_json::from_str(kept).unwrap();
            assert_eq!(kept["text"], bad.trim_end());
        }
        refused += bad.len();
        published += script.published.len();
        assert!(script.published.is_sorted());
        let size = script.published.last().map(|(size, _)| *size);
        assert_eq!(size.unwrap_or(0), delivery.status.published);
    }
    assert!(repeats > 50, "{repeats} batches came again");
    assert!(refused > 100, "{refused} records were refused");
    assert!(published > 100, "{published} checkpoints");
}

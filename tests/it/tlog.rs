//! Keys, signed notes, checkpoints and proofs: what is accepted, and that nothing else is.

use aegize::tlog::{
    Checkpoint, InclusionProver, Note, SigningKey, TlogErrorKind, TlogProof, Tree, VerifierKey,
    leaf,
};

/// The secret of the first test of RFC 8032, section 7.1, and what Go's `sumdb/note` makes of it.
const SECRET: &str =
    "PRIVATE+KEY+example.com/log+cc714670+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
const PUBLIC: &str = "example.com/log+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
const CHECKPOINT: &str = "\
example.com/log
1
bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=

\u{2014} example.com/log zHFGcAyyWRLFNWIwnTTRjMYVFxok7j3Lgc5qqKfjz6jLzE8FGsaeidKpskPsbMs7+dICAR5XF9JvP7H7L9nFf50TAw0=
";

fn key(name: &str) -> SigningKey {
    SigningKey::generate(name).unwrap()
}

fn secret() -> SigningKey {
    SECRET.parse().unwrap()
}

fn trusted() -> [VerifierKey; 1] {
    [PUBLIC.parse().unwrap()]
}

#[test]
fn keys_and_checkpoints_are_those_of_other_implementations() {
    assert_eq!(secret().verifier().to_string(), PUBLIC);
    assert_eq!(*secret().to_secret_text(), SECRET);
    let mut tree = Tree::default();
    tree.push(leaf(b""));
    assert_eq!(Checkpoint::sign(tree.head(), &secret()), CHECKPOINT);
    let checkpoint = Checkpoint::open(CHECKPOINT, &trusted()).unwrap();
    assert_eq!(checkpoint.head(), tree.head());
    assert_eq!(checkpoint.origin(), "example.com/log");
    assert!(checkpoint.extensions().is_empty());
}

#[test]
fn a_secret_is_never_shown() {
    let bits = &SECRET[SECRET.len() - 40..];
    assert!(!format!("{:?}", secret()).contains(bits));
    for text in [
        &SECRET[1..],
        &SECRET.replace("log", "dog"),
        &SECRET.replace("+AZ", "+BZ"),
        &SECRET.replace("cc714670", "cc714671"),
        &format!("{SECRET}\n"),
    ] {
        let error = text.parse::<SigningKey>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(bits), "{error}");
    }
    let error = SECRET.parse::<VerifierKey>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains(bits), "{error}");
    assert!(error.to_string().contains("give the public key"));
}

#[test]
fn a_public_key_has_one_form() {
    let weak = "example.com/log+d3ca1e8e+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for text in [
        "",
        "example.com/log",
        "example.com/log+cc714670",
        weak,
        &PUBLIC.replace("example.com/log", ""),
        &PUBLIC.replace("example.com/log", "example.com/dog"),
        &PUBLIC.replace("cc714670", "cc714671"),
        &PUBLIC.replace("cc714670", "CC714670"),
        &PUBLIC.replace("cc714670", "+c714670"),
        &PUBLIC.replace("+Ad", "+Bd"),
        &PUBLIC[..PUBLIC.len() - 4],
        &format!("{PUBLIC}\n"),
        &format!("{PUBLIC}AAAA"),
    ] {
        let error = text.parse::<VerifierKey>().unwrap_err();
        assert_eq!(error.kind(), TlogErrorKind::Malformed, "{text}");
    }
    for name in [
        "",
        "a b",
        "a+b",
        "a\u{a0}b",
        "a\nb",
        "a\u{1b}b",
        "a\u{200b}b",
    ] {
        let error = SigningKey::generate(name).unwrap_err();
        assert_eq!(error.kind(), TlogErrorKind::Malformed, "{name}");
    }
}

#[test]
fn two_keys_are_never_the_same() {
    assert_ne!(key("a").verifier(), key("a").verifier());
}

/// The same text with one bit of one byte changed, or cut at any byte.
fn mutations(text: &str) -> impl Iterator<Item = String> {
    let flipped = (0..text.len()).filter_map(|at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] ^= 1;
        String::from_utf8(bytes).ok()
    });
    let cut = (0..text.len()).filter_map(|at| text.get(..at).map(str::to_owned));
    flipped.chain(cut)
}

#[test]
fn a_checkpoint_that_was_changed_anywhere_is_refused() {
    let mut seen = 0;
    for changed in mutations(CHECKPOINT) {
        let error = Checkpoint::open(&changed, &trusted()).unwrap_err();
        assert_ne!(error.kind(), TlogErrorKind::Mismatch, "{changed}");
        seen += 1;
    }
    assert!(seen > 300);
}

#[test]
fn a_proof_that_was_changed_anywhere_is_refused() {
    let lines = ["first", "second", "third", "fourth", "fifth"];
    let mut prover = InclusionProver::new(2);
    for line in lines {
        prover.push(leaf(line.as_bytes()));
    }
    let checkpoint = Checkpoint::sign(prover.tree().head(), &secret());
    let file = TlogProof::new(prover.finish().unwrap(), checkpoint).to_string();
    let verify = |file: &str, line: &str| {
        let proof: TlogProof = file.parse()?;
        proof.verify(line.as_bytes(), &trusted())
    };
    assert_eq!(verify(&file, "third").unwrap().head().size, 5);
    for line in ["", "first", "second", "third\n", "fourth", "fifth"] {
        let error = verify(&file, line).unwrap_err();
        assert_eq!(error.kind(), TlogErrorKind::Mismatch, "{line}");
    }
    let mut seen = 0;
    for changed in mutations(&file) {
        assert!(verify(&changed, "third").is_err(), "{changed}");
        seen += 1;
    }
    assert!(seen > 600);

    // What is sent along is kept, and changes nothing.
    let with_extra = file.replacen("index", "extra AAEC\nindex", 1);
    let proof: TlogProof = with_extra.parse().unwrap();
    assert_eq!(proof.extra(), Some(&[0, 1, 2][..]));
    assert_eq!(proof.to_string(), with_extra);
    assert!(proof.verify(b"third", &trusted()).is_ok());
    for (from, to) in [
        ("index 2", "index 02"),
        ("index 2", "index +2"),
        ("index 2", "index 18446744073709551616"),
        ("index 2", "index 5"),
        ("index 2", "index 2\r"),
        ("index 2", "extra \nindex 2"),
        ("index 2", "extra AAEC\nextra AAEC\nindex 2"),
        ("index 2\n", ""),
        ("\n\n", "\n\n\n"),
        ("@v1", "@v2"),
    ] {
        assert!(
            verify(&file.replacen(from, to, 1), "third").is_err(),
            "{to}"
        );
    }
    let endless = file.replacen(
        "\n\n",
        &format!("\n{}\n", format!("{}=\n", "A".repeat(43)).repeat(65)),
        1,
    );
    let error = endless.parse::<TlogProof>().unwrap_err().to_string();
    assert!(error.contains("deep"), "{error}");
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let root = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=";
    let open = |text: &str| Checkpoint::open(&Note::sign(text, &secret()).unwrap(), &trusted());
    assert!(open(&format!("example.com/log\n0\n{root}\n")).is_ok());
    assert!(
        open(&format!(
            "example.com/log\n18446744073709551615\n{root}\nmore\n"
        ))
        .is_ok()
    );
    for text in [
        "\n".to_owned(),
        "example.com/log\n".to_owned(),
        "example.com/log\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("example.com/log\n\n{root}\n"),
        format!("example.com/log\n01\n{root}\n"),
        format!("example.com/log\n-1\n{root}\n"),
        format!("example.com/log\n+1\n{root}\n"),
        format!("example.com/log\n18446744073709551616\n{root}\n"),
        format!("example.com/log\n1\n{}\n", &root[..43]),
        format!("example.com/log\n1\n{}1=\n", &root[..42]),
        format!("example.com/log\n1\n{root}=\n"),
        format!("example.com/log\n1\n{root}\n\n"),
        format!("example.com/log\n1\n{root}\nmore\n\nmore\n"),
    ] {
        let error = open(&text).unwrap_err();
        assert_eq!(error.kind(), TlogErrorKind::Malformed, "{text}");
    }
    let error = open(&format!("example.com/other\n1\n{root}\n")).unwrap_err();
    assert_eq!(error.kind(), TlogErrorKind::Untrusted);
    let error = error.to_string();
    assert!(
        error.starts_with("`example.com/other` is the log"),
        "{error}"
    );
}

#[test]
fn signatures_count_by_whose_they_are() {
    let (log, witness, other) = (key("log"), key("witness"), key("log"));
    let public = |key: &SigningKey| key.verifier().clone();
    let text = "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let line = |key: &SigningKey| {
        let note = Note::sign(text, key).unwrap();
        note.strip_prefix(&format!("{text}\n")).unwrap().to_owned()
    };
    let note = |lines: &[String]| format!("{text}\n{}", lines.concat());
    let forged = {
        let signed = Note::sign("another text\n", &log).unwrap();
        format!("{}\n", signed.lines().last().unwrap())
    };
    let kind = |note: &str, keys: &[VerifierKey]| {
        let opened = Note::open(note, keys).map(|note| note.signers().len());
        opened.map_err(|error| error.kind())
    };
    use TlogErrorKind::{BadSignature, Malformed, Untrusted};
    let both = [line(&log), line(&witness)];

    assert_eq!(kind(&note(&both), &[public(&log)]), Ok(1));
    assert_eq!(kind(&note(&both), &[public(&witness)]), Ok(1));
    assert_eq!(kind(&note(&both), &[public(&witness), public(&log)]), Ok(2));
    assert_eq!(kind(&note(&both), &[]), Err(Untrusted));
    assert_eq!(kind(&note(&both), &[public(&other)]), Err(Untrusted));
    // One bad signature in a trusted name spoils it, wherever it stands.
    for lines in [[line(&log), forged.clone()], [forged.clone(), line(&log)]] {
        assert_eq!(kind(&note(&lines), &[public(&log)]), Err(BadSignature));
    }
    assert_eq!(
        kind(
            &note(&[line(&witness), forged.clone()]),
            &[public(&witness)]
        ),
        Ok(1)
    );
    assert_eq!(kind(&note(&[forged]), &[public(&log)]), Err(BadSignature));
    assert_eq!(
        kind(&note(&[line(&log), line(&log)]), &[public(&log)]),
        Ok(1)
    );
    // A witness does not speak for the log.
    let error = Checkpoint::open(&note(&both), &[public(&witness)]).unwrap_err();
    assert_eq!(error.kind(), Untrusted);
    assert!(Checkpoint::open(&note(&both), &[public(&witness), public(&log)]).is_ok());

    let many = |count: usize| note(&vec![line(&witness); count - 1]) + &line(&log);
    assert_eq!(kind(&many(100), &[public(&log)]), Ok(1));
    assert_eq!(kind(&many(101), &[public(&log)]), Err(Malformed));
    let endless = Note::sign(&format!("{}\n", "a".repeat(1_000_000)), &log).unwrap();
    assert_eq!(kind(&endless, &[public(&log)]), Err(Malformed));

    let good = line(&log);
    for bad in [
        String::new(),
        "\n".to_owned(),
        good.replace('\u{2014}', "-"),
        good.replacen(' ', "  ", 1),
        good.replace(" log", " lo+g"),
        good.replace(" log", " "),
        good.replace('\n', "\r\n"),
        good.replace('\n', " \n"),
        format!("{good}\u{2014} x AAAAAA==\n"),
        format!("{good}\u{2014} x ????\n"),
        format!("{good}not a signature\n"),
    ] {
        let opened = kind(&note(std::slice::from_ref(&bad)), &[public(&log)]);
        assert_eq!(opened, Err(Malformed), "{bad:?}");
    }
    for text in ["", "no line break", "a tab\t\n"] {
        assert_eq!(Note::sign(text, &log).unwrap_err().kind(), Malformed);
    }
    // The last empty line ends a text, not the first.
    let signed = Note::sign("one\n\ntwo\n", &log).unwrap();
    assert_eq!(
        Note::open(&signed, &[public(&log)]).unwrap().text(),
        "one\n\ntwo\n"
    );
}

//! The formats of others, as others read and write them: Go's `golang.org/x/mod/sumdb`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use aegize::tlog::{
    Checkpoint, ConsistencyProof, ConsistencyProver, Hash, InclusionProver, SigningKey, TlogProof,
    Tree, TreeHead, VerifierKey, leaf,
};

/// The sizes of trees that are compared: around powers of two, and a deep one.
const SIZES: [usize; 12] = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 300];

/// Lines as a log has them, and odd ones.
fn lines() -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "\0\u{1}\r".to_owned(),
        "\u{2014} é".to_owned(),
    ];
    for seq in lines.len()..300 {
        lines.push(format!(r#"{{"seq":{seq},"event":"allowed"}}"#));
    }
    lines
}

fn head(leaves: &[Hash]) -> TreeHead {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.head()
}

fn inclusion(index: usize, leaves: &[Hash], key: &SigningKey) -> String {
    let mut prover = InclusionProver::new(index as u64);
    for leaf in leaves {
        prover.push(*leaf);
    }
    let checkpoint = Checkpoint::sign(prover.tree().head(), key);
    TlogProof::new(prover.finish().unwrap(), checkpoint).to_string()
}

fn consistency(old: usize, leaves: &[Hash]) -> String {
    let mut prover = ConsistencyProver::new(old as u64);
    for leaf in leaves {
        prover.push(*leaf);
    }
    let proof = prover.finish().unwrap();
    let lines: Vec<String> = proof.path().iter().map(Hash::to_string).collect();
    lines.join("\n")
}

/// A few places of a tree: its ends, its middle, and beside the middle.
fn places(size: usize) -> Vec<usize> {
    let mut places = vec![0, size / 2, (size / 2).saturating_sub(1), size - 1];
    places.sort_unstable();
    places.dedup();
    places
}

/// Everything that both sides write, by file name.
fn ours(leaves: &[Hash], key: &SigningKey) -> Vec<(String, String)> {
    let mut files = vec![("checkpoint-0".to_owned(), Checkpoint::sign(head(&[]), key))];
    for size in SIZES {
        let leaves = &leaves[..size];
        files.push((
            format!("checkpoint-{size}"),
            Checkpoint::sign(head(leaves), key),
        ));
        for index in places(size) {
            let name = format!("inclusion-{index}-{size}.tlog-proof");
            files.push((name, inclusion(index, leaves, key)));
        }
        for old in SIZES.into_iter().filter(|old| *old <= size) {
            files.push((
                format!("consistency-{old}-{size}"),
                consistency(old, leaves),
            ));
        }
    }
    files
}

fn go(directory: &Path) -> Output {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    Command::new("go")
        .arg("run")
        .args(["main.go", "ledger.go"].map(|file| programs.join(file)))
        .arg(directory)
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go"))
        .output()
        .expect("Go is needed; install `golang-go` and `golang-golang-x-mod-dev`")
}

#[test]
#[ignore = "needs Go; `.ci/run` installs it and runs this"]
fn go_and_we_make_and_accept_the_same_checkpoints_and_proofs() {
    let directory = tempfile::tempdir().unwrap();
    let at = |path: &str| directory.path().join(path);
    let read = |path: &str| fs::read_to_string(at(path)).unwrap();
    let key = SigningKey::generate("example.com/agents").unwrap();
    let trusted = [key.verifier().clone()];
    let lines = lines();
    let leaves: Vec<Hash> = lines.iter().map(|line| leaf(line.as_bytes())).collect();
    let files = ours(&leaves, &key);

    fs::create_dir(at("ours")).unwrap();
    fs::create_dir(at("theirs")).unwrap();
    fs::write(at("signing-key"), key.to_secret_text().as_bytes()).unwrap();
    fs::write(at("public-key"), key.verifier().to_string()).unwrap();
    fs::write(at("lines"), format!("{}\n", lines.join("\n"))).unwrap();
    for (name, text) in &files {
        fs::write(at("ours").join(name), text).unwrap();
    }

    let output = go(directory.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let told = format!("{} files checked\n", files.len());
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);

    for (name, text) in &files {
        let theirs = read(&format!("theirs/{name}"));
        assert_eq!(theirs, *text, "{name}");
        let numbers: Vec<usize> = name
            .trim_end_matches(".tlog-proof")
            .split('-')
            .filter_map(|part| part.parse().ok())
            .collect();
        match numbers[..] {
            [size] => {
                let checkpoint = Checkpoint::open(&theirs, &trusted).unwrap();
                assert_eq!(checkpoint.head(), head(&leaves[..size]));
            }
            [index, _] if name.starts_with("inclusion") => {
                let proof: TlogProof = theirs.parse().unwrap();
                proof.verify(lines[index].as_bytes(), &trusted).unwrap();
            }
            [old, size] => {
                let path = theirs.lines().map(|line| line.parse().unwrap()).collect();
                let (old, new) = (head(&leaves[..old]), head(&leaves[..size]));
                ConsistencyProof::new(path).verify(&old, &new).unwrap();
            }
            _ => panic!("{name}"),
        }
    }

    let own: VerifierKey = read("theirs/own-public-key").parse().unwrap();
    let secret: SigningKey = read("theirs/own-signing-key").parse().unwrap();
    assert_eq!(*secret.verifier(), own);
    assert_eq!(*secret.to_secret_text(), read("theirs/own-signing-key"));
    let signed = read("theirs/own-checkpoint");
    for trusted in [vec![own.clone()], vec![trusted[0].clone(), own]] {
        let checkpoint = Checkpoint::open(&signed, &trusted).unwrap();
        assert_eq!(checkpoint.head(), head(&[]));
        assert_eq!(checkpoint.extensions(), ["an extension"]);
    }

    // What Go says "yes" to above, it says "no" to when one line is another.
    fs::write(at("lines"), format!("changed{}\n", lines.join("\n"))).unwrap();
    let output = go(directory.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains("checkpoint-1: the root"),
        "{told}"
    );
}

// What an implementation that is not ours makes of the same log: golang.org/x/mod/sumdb, as
// Debian packages it.
//
// With DIRECTORY it reads lines and a pair of keys from the directory, checks every file in its
// folder ours, and writes the same files, as it makes them, to its folder theirs: tests/it/interop.rs.
// With DIRECTORY LOG it does so for a log: ledger.go.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const proofFormat = "c2sp.org/tlog-proof@v1"

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func check(name string, err error) {
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
}

func number(text string) int64 { return must(strconv.ParseInt(text, 10, 64)) }

// A store of the hashes of a tree, in the order that tlog asks for them.
type store []tlog.Hash

func (s store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

type peer struct {
	directory string
	lines     [][]byte
	hashes    store
	signer    note.Signer
	verifier  note.Verifier
}

// Takes the lines of a text into the tree.
func (p *peer) take(text []byte) {
	p.lines = bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	for i, line := range p.lines {
		p.hashes = append(p.hashes, must(tlog.StoredHashes(int64(i), line, p.hashes))...)
	}
}

func (p *peer) root(size int64) tlog.Hash {
	if size == 0 {
		// RFC 6962 says the hash of nothing. The tlog that Debian packages says zeroes.
		return sha256.Sum256(nil)
	}
	return must(tlog.TreeHash(size, p.hashes))
}

func (p *peer) checkpoint(size int64) string {
	text := fmt.Sprintf("%s\n%d\n%s\n", p.signer.Name(), size, p.root(size))
	return string(must(note.Sign(&note.Note{Text: text}, p.signer)))
}

// Opens a checkpoint and recomputes its root.
func (p *peer) open(name, signed string) (size int64, root tlog.Hash) {
	opened, err := note.Open([]byte(signed), note.VerifierList(p.verifier))
	check(name, err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != p.verifier.Name() {
		log.Fatalf("%s: not a checkpoint: %q", name, opened.Text)
	}
	size, root = number(lines[1]), must(tlog.ParseHash(lines[2]))
	if p.root(size) != root {
		log.Fatalf("%s: the root at %d is %s", name, size, p.root(size))
	}
	return size, root
}

func (p *peer) inclusion(index, size int64, extra []byte) string {
	var text strings.Builder
	fmt.Fprintln(&text, proofFormat)
	if extra != nil {
		fmt.Fprintf(&text, "extra %s\n", base64.StdEncoding.EncodeToString(extra))
	}
	fmt.Fprintf(&text, "index %d\n", index)
	for _, hash := range must(tlog.ProveRecord(size, index, p.hashes)) {
		fmt.Fprintln(&text, hash)
	}
	return text.String() + "\n" + p.checkpoint(size)
}

func (p *peer) checkInclusion(name, text string) {
	proof, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(proof, "\n")
	var extra []byte
	if len(lines) > 1 && strings.HasPrefix(lines[1], "extra ") {
		extra = must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
		lines = append(lines[:1], lines[2:]...)
	}
	if len(lines) < 2 || lines[0] != proofFormat || !strings.HasPrefix(lines[1], "index ") {
		log.Fatalf("%s: not a proof: %q", name, text)
	}
	index := number(strings.TrimPrefix(lines[1], "index "))
	if extra != nil && !bytes.Equal(extra, p.lines[index]) {
		log.Fatalf("%s: not the record: %q", name, extra)
	}
	size, root := p.open(name, checkpoint)
	path := tlog.RecordProof(hashes(lines[2:]))
	check(name, tlog.CheckRecord(path, size, root, index, tlog.RecordHash(p.lines[index])))
}

func (p *peer) consistency(old, size int64) string {
	var lines []string
	for _, hash := range must(tlog.ProveTree(size, old, p.hashes)) {
		lines = append(lines, fmt.Sprintf("%x", hash[:]))
	}
	return strings.Join(lines, "\n")
}

func hashes(lines []string) []tlog.Hash {
	var parsed []tlog.Hash
	for _, line := range lines {
		parsed = append(parsed, must(tlog.ParseHash(line)))
	}
	return parsed
}

func unhex(text string) []tlog.Hash {
	var parsed []tlog.Hash
	for _, line := range strings.Fields(text) {
		var bytes []byte
		_, err := fmt.Sscanf(line, "%x", &bytes)
		check(line, err)
		parsed = append(parsed, must(tlog.ParseHash(base64.StdEncoding.EncodeToString(bytes))))
	}
	return parsed
}

func (p *peer) write(name, text string) {
	path := filepath.Join(p.directory, "theirs", name)
	check(name, os.WriteFile(path, []byte(text), 0o644))
}

func main() {
	log.SetFlags(0)
	p := &peer{directory: os.Args[1]}
	read := func(names ...string) []byte {
		return must(os.ReadFile(filepath.Join(append([]string{p.directory}, names...)...)))
	}
	key := func(name string) string { return strings.TrimSuffix(string(read(name)), "\n") }
	p.signer = must(note.NewSigner(key("signing-key")))
	p.verifier = must(note.NewVerifier(key("public-key")))
	if len(os.Args) > 2 {
		p.ledger(os.Args[2])
		return
	}
	p.take(read("lines"))

	checked := 0
	for _, entry := range must(os.ReadDir(filepath.Join(p.directory, "ours"))) {
		name := entry.Name()
		text := string(read("ours", name))
		switch part := strings.Split(strings.TrimSuffix(name, ".tlog-proof"), "-"); part[0] {
		case "checkpoint":
			p.open(name, text)
			p.write(name, p.checkpoint(number(part[1])))
		case "inclusion":
			p.checkInclusion(name, text)
			p.write(name, p.inclusion(number(part[1]), number(part[2]), nil))
		case "consistency":
			old, size := number(part[1]), number(part[2])
			check(name, tlog.CheckTree(unhex(text), size, p.root(size), old, p.root(old)))
			p.write(name, p.consistency(old, size))
		default:
			log.Fatalf("%s: an unexpected file", name)
		}
		checked++
	}

	// A key and a note of their own making, which a second key has signed too.
	secret, public, err := note.GenerateKey(rand.Reader, "example.com/theirs")
	check("key", err)
	p.write("own-signing-key", secret)
	p.write("own-public-key", public)
	text := "example.com/theirs\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nan extension\n"
	signed := must(note.Sign(&note.Note{Text: text}, p.signer, must(note.NewSigner(secret))))
	p.write("own-checkpoint", string(signed))
	fmt.Printf("%d files checked\n", checked)
}

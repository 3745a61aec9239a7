package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// Reads a log as its writer left it, a file or a directory of segments, and checks its chain, its
// checkpoint, and the proofs in the folder ours. Writes checkpoints and proofs of its own making
// to the folder theirs. It is run by aegize-cli/tests/it/interop.rs.
func (p *peer) ledger(path string) {
	files, beside := []string{path}, path+".checkpoint"
	if must(os.Stat(path)).IsDir() {
		// In the order of their names, which is that of the records.
		files = must(filepath.Glob(filepath.Join(path, "*.jsonl")))
		beside = filepath.Join(path, "log.checkpoint")
	}
	var text []byte
	for _, file := range files {
		text = append(text, must(os.ReadFile(file))...)
	}
	p.take(text)

	prev := fmt.Sprintf("%064d", 0)
	for i, line := range p.lines {
		var record struct {
			Seq  int
			Prev string
		}
		check(path, json.Unmarshal(line, &record))
		if record.Seq != i || record.Prev != prev {
			log.Fatalf("%s: record %d is not linked", path, i)
		}
		hash := tlog.RecordHash(line)
		prev = fmt.Sprintf("%x", hash[:])
	}

	size, _ := p.open(beside, string(must(os.ReadFile(beside))))
	if size != int64(len(p.lines)) {
		log.Fatalf("%s: of %d records", beside, size)
	}
	proofs := must(filepath.Glob(filepath.Join(p.directory, "ours", "*.tlog-proof")))
	for _, proof := range proofs {
		p.checkInclusion(proof, string(must(os.ReadFile(proof))))
	}

	for index := int64(0); index < size; index++ {
		p.write(fmt.Sprintf("%d.checkpoint", index+1), p.checkpoint(index+1))
		p.write(fmt.Sprintf("%d.tlog-proof", index), p.inclusion(index, size, p.lines[index]))
		p.write(fmt.Sprintf("%d.bare.tlog-proof", index), p.inclusion(index, size, nil))
	}
	fmt.Printf("%d files, %d records, %d proofs checked\n", len(files), size, len(proofs))
}

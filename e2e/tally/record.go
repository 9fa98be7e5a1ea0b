package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Record is what one run of go test came to.
type Record struct {
	// Stage names the kind of tests that the run was for.
	Stage string `json:"stage"`
	// Why says why the stage could not run; the tests are then those that would have run.
	Why string `json:"why,omitempty"`
	// Said is what tests told to be read at the end.
	Said  []string `json:"said,omitempty"`
	Tests []Test   `json:"tests"`
}

// Test is one leaf: a test without subtests, or one whose failure none of its subtests explains. A package
// that failed by itself (it did not build, or TestMain ended it) is a Test without a name.
type Test struct {
	Package string `json:"package"`
	Name    string `json:"name,omitempty"`
	// Result is pass, fail or skip; "" when it was to run and did not.
	Result string `json:"result"`
	// Reason is what a skipped test said.
	Reason string `json:"reason,omitempty"`
}

func (t Test) String() string {
	if t.Name == "" {
		return t.Package
	}
	return t.Package + " " + t.Name
}

// root returns the key of the top-level test that t is part of.
func (t Test) root() key {
	name, _, _ := strings.Cut(t.Name, "/")
	return key{t.Package, name}
}

// listed reads what `go test -list` prints and returns the tests as not run.
func listed(r io.Reader) (Record, error) {
	var record Record
	var names []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if fields := strings.Fields(line); len(fields) > 1 && (fields[0] == "ok" || fields[0] == "?") {
			for _, name := range names {
				record.Tests = append(record.Tests, Test{Package: fields[1], Name: name})
			}
			names = nil
			continue
		}
		if strings.HasPrefix(line, "Test") || strings.HasPrefix(line, "Fuzz") {
			names = append(names, line)
		}
	}
	return record, lines.Err()
}

func save(path string, record Record) error {
	if path == "" {
		return errors.New("-out FILE is missing")
	}
	data, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	for _, test := range record.Tests {
		if test.Result == "fail" {
			return errFailed
		}
	}
	return nil
}

func load(paths []string) ([]Record, error) {
	if len(paths) == 0 {
		return nil, errors.New("which records to sum up: none is named")
	}
	var records []Record
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var record Record
		if err := json.Unmarshal(data, &record); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		records = append(records, record)
	}
	return records, nil
}

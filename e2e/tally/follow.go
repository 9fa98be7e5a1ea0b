package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is a line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // stands for Package in the events of a build
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// key names a test; a package by itself has no name.
type key struct{ pkg, name string }

// printer shows a run to people while it goes on.
type printer struct {
	out io.Writer
	// verbose shows the tests that passed, too.
	verbose bool
}

// stream is what is known of a run so far.
type stream struct {
	printer
	results map[key]string   // "" from the start of a test to its end
	output  map[key][]string // of what has not ended well yet
	order   []key            // of tests and packages, as they were first heard of
	said    []string
}

// follow reads events to their end, prints failures and package results as they come, and returns the leaves.
// What is no event (the go command's own complaints) is printed as it is.
func follow(r io.Reader, show printer) (Record, error) {
	s := stream{printer: show, results: map[key]string{}, output: map[key][]string{}}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(s.out, line)
		default:
			s.take(e)
		}
		if errors.Is(err, io.EOF) {
			return Record{Tests: s.leaves(), Said: s.said}, nil
		}
		if err != nil {
			return Record{}, fmt.Errorf("reading go test's events: %w", err)
		}
	}
}

// saying begins a line by which a test, passed or not, tells something that is worth reading at the
// end: how much a sweep has swept.
const saying = "result: "

func (s *stream) take(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "start", "run":
		if _, known := s.results[k]; !known {
			s.results[k] = ""
			s.order = append(s.order, k)
		}
	case "output":
		if said, ok := strings.CutPrefix(e.Output, saying); ok {
			s.said = append(s.said, strings.TrimSpace(said))
		}
		s.output[k] = append(s.output[k], e.Output)
	case "pass", "fail", "skip":
		if _, known := s.results[k]; !known {
			s.order = append(s.order, k)
		}
		s.results[k] = e.Action
		s.ended(k, e)
	}
}

// ended prints what a test or package leaves to be read, and forgets the output of what passed.
func (s *stream) ended(k key, e event) {
	output := strings.Join(s.output[k], "")
	switch {
	case k.name == "":
		// A package without tests "skips"; one that passed says "PASS" first, which "ok" says again.
		if e.Action == "fail" {
			fmt.Fprint(s.out, output)
		} else if at := strings.Index(output, "ok  \t"); at >= 0 {
			fmt.Fprint(s.out, output[at:])
		}
	case e.Action == "fail":
		fmt.Fprint(s.out, output)
	case e.Action == "skip":
		fmt.Fprintf(s.out, "    skip %s %s: %s\n", k.pkg, k.name, reason(output))
		return
	case s.verbose:
		fmt.Fprintf(s.out, "    pass %s (%.1f s)\n", k.name, e.Elapsed)
	}
	if e.Action == "pass" {
		delete(s.output, k)
	}
}

// leaves returns each test once. A test that ran and never ended (a panic, a timeout) has failed, and so has a
// package that failed although no test of it did.
func (s *stream) leaves() []Test {
	parent, explained := map[key]bool{}, map[key]bool{}
	failed := func(k key) bool { return s.results[k] == "fail" || s.results[k] == "" }
	for _, k := range s.order {
		name := k.name
		for at := strings.LastIndexByte(name, '/'); at >= 0; at = strings.LastIndexByte(name, '/') {
			name = name[:at]
			parent[key{k.pkg, name}] = true
			explained[key{k.pkg, name}] = explained[key{k.pkg, name}] || failed(k)
		}
		if k.name != "" && failed(k) {
			explained[key{k.pkg, ""}] = true
		}
	}
	var tests []Test
	for _, k := range s.order {
		test := Test{Package: k.pkg, Name: k.name, Result: s.results[k]}
		if failed(k) {
			test.Result = "fail"
		}
		group := k.name == "" || parent[k]
		if group && (test.Result != "fail" || explained[k]) {
			continue
		}
		if test.Result == "skip" {
			test.Reason = reason(strings.Join(s.output[k], ""))
		}
		tests = append(tests, test)
	}
	return tests
}

// reason returns what a skipped test said, without the framing of the testing package.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		said = append(said, line)
	}
	return strings.Join(said, " ")
}

package main

import (
	"fmt"
	"io"
	"strings"
)

// The kinds that a test's name tells; every other test is of its stage's kind.
const (
	seeds       = "fuzz seeds"
	scripts     = "scripts"
	killPoints  = "kill points"
	realCluster = "real-cluster"
	fuzzing     = "fuzz" // a stage that looks for new inputs
)

// kindOf: FuzzX/seed#1 is one input of a fuzz target, TestScript…/name a testscript file (but for /catalogue,
// which proves each scenario between two of them), and TestKill…/point, on a real cluster, a place in the
// journal where labctl was killed.
func kindOf(stage, name string) string {
	switch {
	case strings.HasPrefix(name, "Fuzz") && stage != fuzzing:
		return seeds
	case strings.HasPrefix(name, "TestScript") && !strings.Contains(name, "/catalogue"):
		return scripts
	case stage == realCluster && strings.HasPrefix(name, "TestKill"):
		return killPoints
	}
	return stage
}

// count is how the tests of one kind ended.
type count struct{ passed, failed, skipped, notRun int }

// total is everything that ran, by kind, and everything that did not pass, by name.
type total struct {
	count
	order    []string
	kinds    map[string]*count
	whys     map[string]string
	failures []string
	absent   []string
	said     []string
}

// sum adds records up. A test that is in several (a package's plain tests run again with those behind a build tag)
// counts once, as the first kind that it had, with the worst result. In a strict sum, what needed a real cluster
// and was skipped or not run has failed.
func sum(records []Record, strict bool) *total {
	t := &total{kinds: map[string]*count{}, whys: map[string]string{}}
	worst, order, stages := map[key]Test{}, []key{}, map[key]string{}
	ran := map[key]bool{}
	for _, record := range records {
		for _, test := range record.Tests {
			ran[test.root()] = ran[test.root()] || test.Result != ""
		}
	}
	for _, record := range records {
		// A stage shows even if it held no test at all.
		t.kind(record.Stage)
		t.said = append(t.said, record.Said...)
		if record.Why != "" {
			t.whys[record.Stage] = record.Why
		}
		for _, test := range record.Tests {
			// A list of what did not run has tests without their subtests, and names those of other stages again.
			if test.Result == "" && ran[test.root()] {
				continue
			}
			k := key{test.Package, test.Name}
			before, known := worst[k]
			if !known {
				order, stages[k] = append(order, k), record.Stage
			}
			if !known || severity[test.Result] > severity[before.Result] {
				worst[k] = test
			}
		}
	}
	for _, k := range order {
		t.add(worst[k], stages[k], strict)
	}
	if strict && t.whys[realCluster] != "" && t.failed == 0 {
		t.failed++
		t.failures = append(t.failures, "the real-cluster stage: "+t.whys[realCluster])
	}
	return t
}

// severity orders results: a test that did not run in one stage may have passed in another.
var severity = map[string]int{"": 0, "skip": 1, "pass": 2, "fail": 3}

func (t *total) kind(name string) *count {
	c, known := t.kinds[name]
	if !known {
		c = &count{}
		t.kinds[name], t.order = c, append(t.order, name)
	}
	return c
}

func (t *total) add(test Test, stage string, strict bool) {
	c := t.kind(kindOf(stage, test.Name))
	missing := test.Result != "pass" && test.Result != "fail"
	if missing {
		t.absent = append(t.absent, strings.TrimSuffix(test.String()+": "+test.Reason, ": "))
	}
	switch {
	case test.Result == "pass":
		c.passed++
		t.passed++
	case test.Result == "fail":
		c.failed++
		t.failed++
		t.failures = append(t.failures, test.String())
	case test.Result == "skip":
		c.skipped++
	default:
		c.notRun++
	}
	if missing && strict && stage == realCluster {
		t.failed++
		t.failures = append(t.failures, test.String()+" (did not run)")
	} else if missing {
		t.skipped++
	}
}

// print writes the table, what did not pass, and the line that machines read. It returns errFailed when
// something failed or nothing at all ran.
func (t *total) print(w io.Writer) error {
	if len(t.absent) > 0 {
		fmt.Fprintf(w, "\nNot run:\n  %s\n", strings.Join(t.absent, "\n  "))
	}
	if len(t.failures) > 0 {
		fmt.Fprintf(w, "\nFailed:\n  %s\n", strings.Join(t.failures, "\n  "))
	}
	if len(t.said) > 0 {
		fmt.Fprintf(w, "\nTold by the tests:\n  %s\n", strings.Join(t.said, "\n  "))
	}
	fmt.Fprintln(w, "\nTests by kind:")
	for _, kind := range t.order {
		c := t.kinds[kind]
		line := fmt.Sprintf("  %-14s %d passed, %d failed", kind, c.passed, c.failed)
		if c.skipped > 0 {
			line += fmt.Sprintf(", %d skipped", c.skipped)
		}
		if c.notRun > 0 {
			line += fmt.Sprintf(", %d not run", c.notRun)
		}
		if why := t.whys[kind]; why != "" {
			line = fmt.Sprintf("  %-14s NOT RUN, %d tests: %s", kind, c.notRun, why)
		}
		fmt.Fprintln(w, line)
	}
	fmt.Fprintf(w, "\n%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
	if t.failed > 0 || t.passed == 0 {
		return errFailed
	}
	return nil
}

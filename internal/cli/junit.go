package cli

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/untrusted"
)

// report is the file of JUnit XML that proofs are written to: a suite for each scenario with a test case for each step,
// as CI systems read it. The zero value writes none. It is made before the proofs, so that a folder that is not there is
// said at once, and takes its name when it is whole.
type report struct {
	path string
	temp *os.File
}

func newReport(path string) (*report, error) {
	if path == "" {
		return &report{}, nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, clierr.New(clierr.Usage, "--junit %s: %w", path, err)
	}
	return &report{path: path, temp: temp}, nil
}

func (r *report) discard() error {
	if r.temp == nil {
		return nil
	}
	_ = r.temp.Close()
	return os.Remove(r.temp.Name())
}

func (r *report) write(proofs []*lab.Proof) error {
	if r.temp == nil {
		return nil
	}
	suites := junitSuites{Name: "labctl scenario test"}
	for _, p := range proofs {
		suite := junitSuite{Name: p.Scenario, Time: junitTime(p.Seconds), Tests: len(p.Steps)}
		for _, s := range p.Steps {
			c := junitCase{Class: "labctl." + p.Scenario, Name: s.Name, Time: junitTime(s.Seconds), Saw: printable(s.Saw)}
			if !s.Passed {
				suite.Failures++
				c.Failure = &junitFailure{Message: printable(strings.Join(s.Wrong, "; ")), Text: printable(s.Output)}
			}
			suite.Cases = append(suite.Cases, c)
		}
		suites.Suites = append(suites.Suites, suite)
	}
	text, err := xml.MarshalIndent(suites, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(r.temp, "%s%s\n", xml.Header, text)
	}
	if cerr := r.temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(r.temp.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(r.temp.Name(), r.path)
	}
	if err != nil {
		_ = os.Remove(r.temp.Name())
		return clierr.New(clierr.Failed, "--junit %s: %w", r.path, err)
	}
	return nil
}

// printable is text without what XML cannot hold or a terminal would act on.
func printable(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, untrusted.Line(strings.TrimRight(line, "\n")))
	}
	return strings.Join(lines, "\n")
}

func junitTime(seconds float64) string { return fmt.Sprintf("%.3f", seconds) }

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Saw     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

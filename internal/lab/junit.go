package lab

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision"
)

// The part of JUnit's XML that CI systems read.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []*junitSuite
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Time       string          `xml:"time,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr,omitempty"`
		Failure *junitMessage `xml:"failure,omitempty"`
		Error   *junitMessage `xml:"error,omitempty"`
		Saw     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit returns the report as the XML that CI systems read, with a test case for each resource.
func (r *Report) JUnit() ([]byte, error) {
	suite := &junitSuite{Name: "labctl verify " + r.Lab, Tests: len(r.Resources)}
	for _, row := range r.Resources {
		c := junitCase{Name: row.Addr, Class: r.Lab}
		m := &junitMessage{Message: row.Reason, Text: strings.Join(append([]string{row.Next}, row.Evidence...), "\n")}
		switch row.Verdict {
		case provision.DoesNotHold:
			c.Failure = m
			suite.Failures++
		case provision.Inconclusive:
			c.Error = m
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, c)
	}
	return junit(suite)
}

// JUnitOf returns proofs as the XML that CI systems read, with a suite for each scenario and a test case for each step.
func JUnitOf(proofs []*Proof) ([]byte, error) {
	all := junitSuites{}
	for _, p := range proofs {
		suite := &junitSuite{Name: "labctl scenario test " + p.Scenario, Tests: len(p.Steps), Time: junitTime(p.Seconds)}
		if p.Level != "" {
			suite.Properties = []junitProperty{{"level", string(p.Level)}}
		}
		for _, s := range p.Steps {
			c := junitCase{Name: s.Name, Class: p.Scenario, Time: junitTime(s.Seconds), Saw: untrusted.Line(s.Saw)}
			if !s.Passed {
				suite.Failures++
				c.Failure = &junitMessage{Message: untrusted.Line(strings.Join(s.Wrong, "; ")), Text: untrusted.Line(s.Output)}
			}
			suite.Cases = append(suite.Cases, c)
		}
		all.Suites = append(all.Suites, suite)
	}
	return junit(all)
}

func junit(v any) ([]byte, error) {
	raw, err := xml.MarshalIndent(v, "", "  ")
	return append([]byte(xml.Header), append(raw, '\n')...), err
}

func junitTime(seconds float64) string { return fmt.Sprintf("%.3f", seconds) }

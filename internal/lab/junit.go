package lab

import (
	"encoding/xml"
	"strings"

	"github.com/labctl/labctl/provision"
)

// JUnit returns the report as the XML that CI systems read, with a test case for each resource.
func (r *Report) JUnit() ([]byte, error) {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *message `xml:"failure,omitempty"`
		Error   *message `xml:"error,omitempty"`
	}
	suite := struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Cases    []testCase `xml:"testcase"`
	}{Name: "labctl verify " + r.Lab, Tests: len(r.Resources)}
	for _, row := range r.Resources {
		c := testCase{Name: row.Addr, Class: r.Lab}
		m := &message{Message: row.Reason, Text: strings.Join(append([]string{row.Next}, row.Evidence...), "\n")}
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
	raw, err := xml.MarshalIndent(suite, "", "  ")
	return append([]byte(xml.Header), append(raw, '\n')...), err
}

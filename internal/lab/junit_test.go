package lab

import (
	"encoding/xml"
	"strings"
	"testing"
)

func TestProofsAsJUnit(t *testing.T) {
	text, err := JUnitOf([]*Proof{
		{Scenario: "one", Seconds: 3.5, Steps: []*ProofStep{
			{Name: "seeded", Passed: true, Saw: "broken \x1b[2Kas declared", Seconds: 1.25},
			{Name: "wrong fix x", Wrong: []string{"it repairs <it>", "and more"}, Output: "line\nline"},
		}},
		{Scenario: "two"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var parsed any
	if err := xml.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<testsuite name="labctl scenario test one" tests="2" failures="1" errors="0" time="3.500">`, `classname="one" time="1.250"`,
		`<failure message="it repairs &lt;it&gt;; and more">`, `<testsuite name="labctl scenario test two" tests="0"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("it lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "\x1b") {
		t.Error("it has a control code")
	}
}

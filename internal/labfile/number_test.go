package labfile

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Numbers that would take all memory to write out are problems, however they come about.
func TestExtremeNumbers(t *testing.T) {
	squares := strings.Builder{}
	for i := range 40 {
		fmt.Fprintf(&squares, "variable \"v%d\" { default = var.v%d * var.v%d }\n", i+1, i, i)
	}
	for _, title := range []string{
		`"${tonumber(join("", ["1e", "99999999"]))}"`,
		`"${"1e99999999" + 0}"`, `"${-"1e99999999"}"`, `"${"1e9${"9999999"}" * 1}"`, `"${1 % "1e99999999"}"`, `"${"1e99999999" % 3}"`,
		`"${max("1e99999999", 1)}"`, `"${1 / "1e99999999"}"`, `jsonencode(-"1e-99999999")`,
		`"${var.v40}"`, `"${"1e99999999" - "1e99999999"}"`,
	} {
		text := "lab \"x\" {\n  title = " + title + "\n}\nvariable \"v0\" { default = 1e99 }\n" + squares.String() + "cluster \"kind\" \"x\" {\n  node \"control-plane\" {}\n}\n"
		start := time.Now()
		lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{})
		if lab != nil || !strings.Contains(diags.Error(), "too large or too small") {
			t.Errorf("%s: %v, %v", title, lab, diags)
		}
		if took := time.Since(start); took > slow {
			t.Errorf("%s: took %s", title, took)
		}
	}
}

// A text that looks like such a number is a text.
func TestTextLikeANumber(t *testing.T) {
	const hash = "1234e56789"
	text := "lab \"x\" {\n  title = \"${1 + 1e99 * 2 - 1e99 / 2} " + hash + " ${var.x}\"\n}\nvariable \"x\" {}\ncluster \"kind\" \"x\" {\n  node \"control-plane\" {}\n}\n"
	src := Source{Name: "x.hcl", Bytes: []byte(text)}
	lab, diags := Parse(src, Options{Vars: map[string]string{"x": hash}})
	if lab == nil || !strings.HasSuffix(lab.Title, " "+hash+" "+hash) {
		t.Fatalf("%v, %v", lab, diags)
	}
	if again, diags := Parse(src, Options{LabVars: []Source{{Name: "state", Bytes: lab.VariableValues}}}); again == nil || again.Title != lab.Title {
		t.Errorf("from what it says it was given: %v, %v", again, diags)
	}
}

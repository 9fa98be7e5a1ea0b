package scenarios

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
)

func expression(t testing.TB, source string) hcl.Expression {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(source), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", source, diags)
	}
	return expr
}

// on returns what an expression sees of an object in JSON.
func on(t testing.TB, object string) *hcl.EvalContext {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(object), &v); err != nil {
		t.Fatal(err)
	}
	return &hcl.EvalContext{
		Variables: map[string]cty.Value{"self": toValue(v), "seeded": cty.EmptyObjectVal},
		Functions: labfile.Functions(),
	}
}

const somePod = `{"metadata": {"labels": {"app/name": "web"}, "uid": null}, "status": {"phase": "Running", "n": 3, "containerStatuses": [{"ready": true, "state": {"running": {}}}]}}`

func TestTruth(t *testing.T) {
	ctx := on(t, somePod)
	for _, c := range []struct {
		source string
		want   bool
		why    string // part of it
	}{
		{`self.status.phase == "Running"`, true, ""},
		{`self.status.phase == "Pending"`, false, ""},
		{`self.status.n >= 3`, true, ""},
		{`self.metadata.labels["app/name"] == "web"`, true, ""},
		{`self.status.podIP == "x"`, false, `self.status has no "podIP"`},
		{`self.spec.nodeName == "x"`, false, `self has no "spec"`},
		{`self.status.containerStatuses[0].state.waiting.reason == "x"`, false, `self.status.containerStatuses[0].state has no "waiting"`},
		{`self.status.containerStatuses[1].ready`, false, `self.status.containerStatuses has no element 1, but 1 in all`},
		{`self.metadata.labels["gone"] == "x"`, false, `self.metadata.labels has no "gone"`},
		{`self.metadata.uid == seeded["Pod/x"].uid`, false, `seeded has no "Pod/x"`},
		{`self.metadata.uid.deeper == "x"`, false, `self.metadata.uid is null`},
		{`self.status.phase.deeper == "x"`, false, `self.status.phase is "Running", which has no such part`},
		{`self.status.phase > 3`, false, ""},
		{`self.status.phase`, false, "neither true nor false"},
		{`self.metadata.uid`, false, "no value"},
		{`alltrue([for c in self.status.containerStatuses : c.gone])`, false, "gone"},
		{`!can(self.status.containerStatuses[0].lastState.terminated)`, true, ""},
		{`self.status.phase == "Running" || self.status.gone.deeper`, true, ""},
	} {
		yes, why := truth(expression(t, c.source), ctx)
		if yes != c.want || !strings.Contains(why, c.why) || yes && why != "" {
			t.Errorf("%s: %v, %q; want %v, %q", c.source, yes, why, c.want, c.why)
		}
	}
}

func TestReferencesShowWhatWasSeen(t *testing.T) {
	source := `self.status.phase == "x" && self.status.phase != self.gone && self.status.containerStatuses[0].ready
	  && alltrue([for c in self.status.containerStatuses : c.ready]) && anytrue([for c in self.gone : c.ready])
	  && length(self.status.containerStatuses[*].state) > 3`
	var got []string
	for _, v := range references(expression(t, source), source, on(t, somePod)) {
		got = append(got, v.String())
	}
	want := []string{
		`self.status.phase = "Running"`,
		`self.gone: self has no "gone"`,
		`self.status.containerStatuses[0].ready = true`,
		`[for c in self.status.containerStatuses : c.ready] = [true]`,
		`[for c in self.gone : c.ready]: self has no "gone"`,
		`self.status.containerStatuses[*].state = [{"running":{}}]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLongValuesAreCut(t *testing.T) {
	v := show(cty.StringVal(strings.Repeat("ü", 1000)))
	if text.Width(v) > maxValue || !strings.HasSuffix(v, "…") || strings.Contains(v, "\uFFFD") {
		t.Errorf("%d bytes: %s", len(v), v)
	}
}

func TestExplainNamesTheFailingPart(t *testing.T) {
	source := "(\n  self.status.phase == \"Running\"\n  && (self.status.n == 3\n  && self.status.n >   4)\n)"
	c := &labfile.Condition{Holds: expression(t, source), HoldsSource: source}
	got := explain(c, on(t, somePod), "")
	if want := "self.status.n = 3, where self.status.n > 4 is needed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	source = "self.status.n == 3 &&\n  alltrue([\n  for c in self.status.containerStatuses : !c.ready\n])"
	got = explain(&labfile.Condition{Holds: expression(t, source), HoldsSource: source}, on(t, somePod), "")
	if want := "[ for c in self.status.containerStatuses : !c.ready ] = [false], where alltrue([ for c in self.status.containerStatuses : !c.ready ]) is needed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// onlyOnContent checks that each condition has an answer whatever an object looks like, and that an object without content
// satisfies none.
func onlyOnContent(t *testing.T, sc *compiled) {
	t.Helper()
	for _, what := range sc.hollow() {
		t.Error(what)
	}
}

func FuzzConditions(f *testing.F) {
	f.Add([]byte(somePod))
	f.Add([]byte(`{"status": {"containerStatuses": {"0": []}, "conditions": [1, null, {"type": 3}], "phase": ["Running"]}}`))
	f.Add([]byte(`{"status": {"containerStatuses": [null]}, "spec": {"containers": "x", "replicas": "many", "template": 1e300}}`))
	f.Add([]byte(`{"status": {"containerStatuses": [{"state": {"waiting": {"reason": null, "message": 3}}, "restartCount": "1", "ready": "yes"}]}}`))
	all := []*compiled{newStage(f, "bare-pod").sc, newStage(f, "deployment").sc, newStage(f, "first-web").sc}
	f.Fuzz(func(t *testing.T, text []byte) {
		var object map[string]any
		if json.Unmarshal(text, &object) != nil || len(text) > 1<<16 {
			t.Skip("not an object")
		}
		for _, sc := range all {
			for _, c := range append(slices.Clone(sc.s.Symptom), sc.solving()...) {
				got := sc.findIn(c, object)
				switch got.Verdict {
				case Holds, DoesNotHold, Inconclusive:
				default:
					t.Errorf("%s: verdict %q", c.Name, got.Verdict)
				}
				if got.Verdict != Holds && got.Reason == "" {
					t.Errorf("%s: %s without a reason", c.Name, got.Verdict)
				}
				if _, err := json.Marshal(got); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
			}
		}
	})
}

package scenarios

import (
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

const asking = `scenario "asking" {
  type = "task"
  title = "Find out"
  summary = "Find out."
  situation = "What there is."
  goal = "What shall be so."
  object "pods" {
    kind = "Pod"
    selector = "tier"
  }
  answer "violators" {
    ask = "Which are they?"
    equals = ["web-1", "web-2"]
  }
  answer "names" {
    ask = "What are they called?"
    holds = sort(self.words) == sort([for p in live.pods : p.metadata.name]) && length(self.words) > 0
  }
  solved {}
  solution {
    says = "Look."
    answers = { violators = ["web-1", "web-2"], names = ["a", "b"] }
  }
  wrong_fix "one" {
    says = "One is missing."
    answers = { violators = ["web-1"] }
    fails = ["violators"]
  }
}`

func TestAnswers(t *testing.T) {
	b := benchOf(t, own(t, asking, ""))
	for _, name := range []string{"a", "b"} {
		b.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: `+name+`, namespace: default, labels: {tier: web}, creationTimestamp: "2024-01-01T00:00:00Z"}}`)
	}
	check := func(want Verdict, because string) {
		t.Helper()
		c := b.r.Check(t.Context(), event.Discard, CheckOptions{})
		var reasons []string
		for _, f := range c.Findings {
			reasons = append(reasons, f.Reason)
		}
		if got := strings.Join(reasons, "\n"); c.Verdict != want || !strings.Contains(got, because) {
			t.Errorf("%s: %s; want %s because %q", c.Verdict, got, want, because)
		}
	}
	give := func(to string, words ...string) {
		t.Helper()
		if err := b.r.Answer(t.Context(), to, words); err != nil {
			t.Error(err)
		}
	}
	if err := b.r.Answer(t.Context(), "violators", []string{"x"}); clierr.ClassOf(err) != clierr.NotHolding {
		t.Errorf("before it was begun: %v", err)
	}
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	check(DoesNotHold, "violators is not answered yet: `labctl answer asking --to violators WORDS`")
	for wrong, words := range map[string][]string{
		"asks for violators, names": {"x"}, // which one?
		`does not ask for "others"`: {"x"},
		"has no words":              {" , "},
		"at most 100 words":         {strings.Repeat("x", 1<<20)},
	} {
		to := map[string]string{"asks for violators, names": "", `does not ask for "others"`: "others"}[wrong]
		if to == "" && !strings.Contains(wrong, "asks") {
			to = "violators"
		}
		if err := b.r.Answer(t.Context(), to, words); clierr.ClassOf(err) != clierr.Usage || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if words := b.r.Check(t.Context(), event.Discard, CheckOptions{}).Points()[0].Words(); !strings.HasPrefix(words, "violators is not answered yet") {
		t.Errorf("a learner reads %q", words)
	}
	give("violators", "web-1")
	check(DoesNotHold, "the answer to violators is not the right one")
	give("violators", "web-3", "web-1", "web-2")
	check(DoesNotHold, "the answer to violators is not the right one")
	give("violators", "WEB-2, web-1", "web-1")
	check(DoesNotHold, "names is not answered yet")
	give("names", "b")
	check(DoesNotHold, "the answer to names is not the right one")
	give("names", "b", "a")
	check(Holds, "")
	b.quiet("a second up", func() {
		if err := b.r.Apply(t.Context(), event.Discard); err != nil {
			t.Error(err)
		}
	})

	// What was typed is the learner's: where it is lost, it is not answered.
	b.Remove("configmaps", b.Get("configmaps", recordNamespace, recordName(lab)))
	check(DoesNotHold, "is not answered yet")
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	give("violators", "web-1", "web-2", "\x1b[2K\xff")
	if err := b.reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	check(DoesNotHold, "violators is not answered yet")
	if hollow, err := b.r.Hollow(); err != nil || len(hollow) > 0 {
		t.Errorf("%q, %v", hollow, err)
	}
}

package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/labfile"
)

// What functions say about their no is what a learner reads, wherever in a condition they are called.
func TestExplainInTheWordsOfFunctions(t *testing.T) {
	pods := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"kind": "Pod", "metadata": {"name": "web-%d"}, "status": {"conditions": [{"type": "Ready", "status": %q, "message": "\u001b[31mno"}]}}`, i, map[bool]string{true: "True", false: "False"}[i == 0]))
		}
		return `{"kind": "PodList", "n": 3, "metadata": {"name": "all"}, "items": [` + strings.Join(all, ",") + `]}`
	}
	for source, want := range map[string]string{
		`ready(self.items[1])`:                                   `pod/web-1: its condition Ready is False: \x1b[31mno`,
		`(ready(self.items[1]))`:                                 `pod/web-1: its condition Ready is False: \x1b[31mno`,
		`self.n == 3 && condition(self.items[1], "Initialized")`: `pod/web-1 has no condition Initialized`,
		`ready(self.items[1]) == true`:                           `pod/web-1: its condition Ready is False: \x1b[31mno, where ready(self.items[1]) == true is needed`,
		`alltrue([for p in self.items : ready(p)])`:              `pod/web-1: its condition Ready is False: \x1b[31mno; pod/web-2: its condition Ready is False: \x1b[31mno, where alltrue(`,
		`anytrue([for p in self.items : condition(p, "X")])`:     `pod/web-0 has no condition X; pod/web-1 has no condition X; pod/web-2 has no condition X, where anytrue(`,
		`!ready(self.items[0])`:                                  `is needed`,
		`ready(self.n)`:                                          `this is no object of the cluster`,
	} {
		c := &labfile.Condition{Holds: expression(t, source), HoldsSource: source}
		if got := explain(c, on(t, pods(3)), ""); !strings.Contains(got, want) || strings.Contains(got, "\x1b") {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
	source := `alltrue([for p in self.items : ready(p)])`
	c := &labfile.Condition{Holds: expression(t, source), HoldsSource: source}
	if got := explain(c, on(t, pods(50)), ""); !strings.Contains(got, "; and 46 more, where") || strings.Contains(got, "web-9") {
		t.Errorf("of fifty pods: %q", got)
	}
}

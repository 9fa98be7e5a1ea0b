package scenarios

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/labfile"
)

// briefed checks what a learner reads of a scenario of the catalogue before working on it.
func briefed(t *testing.T, d *labfile.Definition, folder string) {
	t.Helper()
	page, err := os.ReadFile(folder + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if d.Topic == "" || d.Difficulty == "" || d.Minutes == 0 {
		t.Error("it lacks topic, difficulty or minutes")
	}
	for _, text := range append([]string{d.Situation, d.Goal}, d.Rules...) {
		if text == "" || !strings.Contains(oneLine(string(page)), oneLine(text)) {
			t.Errorf("its README does not have the text %q", text)
		}
	}
	for _, given := range givenAway(d, oneLine(string(page)), d.Title, d.Situation, d.Goal, strings.Join(d.Rules, " ")) {
		t.Errorf("what a learner reads first has %q, which belongs to the solution", given)
	}
	if chain := afterItself(Definitions(), d.Name, nil); chain != nil {
		t.Errorf("what comes before it: %s", strings.Join(chain, ", "))
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// givenAway returns what a break's texts have of its solution: a command, or the value that one sets.
func givenAway(d *labfile.Definition, texts ...string) []string {
	if d.Type != labfile.Break {
		return nil
	}
	var all []string
	for _, line := range d.Solution.Run {
		parts := []string{line}
		for _, word := range strings.Fields(line) {
			if name, value, sets := strings.Cut(word, "="); sets && !strings.HasPrefix(word, "-") {
				parts = append(parts, value, name+"=")
			}
		}
		for _, part := range parts {
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, part) }) {
				all = append(all, part)
			}
		}
	}
	return all
}

// afterItself follows what comes before a scenario. It returns the way to a name that nobody has, or back to one that it has
// passed; else nil.
func afterItself(all labfile.Definitions, name string, passed []string) []string {
	way := append(slices.Clone(passed), name)
	load, known := all[name]
	if !known || slices.Contains(passed, name) {
		return way
	}
	d, err := load()
	if err != nil {
		return nil // its own test says so
	}
	for _, before := range d.After {
		if wrong := afterItself(all, before, way); wrong != nil {
			return wrong
		}
	}
	return nil
}

func TestBriefingGivesNothingAway(t *testing.T) {
	d := &labfile.Definition{Type: labfile.Break, Solution: &labfile.Remedy{Run: []string{"kubectl set env --all deployment/a URL=x://y"}}}
	for text, want := range map[string][]string{
		"The Deployment a crashes.":        nil,
		"It needs x://y.":                  {"x://y"},
		"Set URL= to something.":           {"URL="},
		d.Solution.Run[0] + " repairs it.": {d.Solution.Run[0], "x://y", "URL="},
	} {
		if got := givenAway(d, "", text); !slices.Equal(got, want) {
			t.Errorf("%q gives %q away, want %q", text, got, want)
		}
	}
	task := *d
	task.Type = labfile.Task
	if got := givenAway(&task, "It needs x://y."); got != nil {
		t.Errorf("a task says what is to be built: %q", got)
	}
}

func TestWhatComesBeforeAScenarioIsThere(t *testing.T) {
	all := labfile.Definitions{}
	for name, after := range map[string][]string{"a": nil, "b": {"a"}, "c": {"b", "a"}, "lost": {"b", "nobody"}, "x": {"y"}, "y": {"x"}} {
		all[name] = func() (*labfile.Definition, error) {
			return &labfile.Definition{Name: name, Briefing: labfile.Briefing{After: after}}, nil
		}
	}
	for name, want := range map[string]string{"a": "", "c": "", "lost": "lost nobody", "x": "x y x"} {
		if got := strings.Join(afterItself(all, name, nil), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

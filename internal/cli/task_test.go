package cli

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

const wrongTagTask = "A pod that does not start\n" +
	"wrong-tag, of pods, easy, about 5 minutes, draft; after running, elsewhere\n" +
	"\n" +
	"A pod called `wrong-tag` was made, and does not start.\n" +
	"\n" +
	"Goal\n" +
	"The pod `wrong-tag` runs.\n" +
	"\n" +
	"Rules\n" +
	"- Keep the pod.\n" +
	"\n"

func TestTaskShowsWhatALearnerReads(t *testing.T) {
	c := newClass(t)
	got, code := c.labctl("task", "wrong-tag")
	want := wrongTagTask + "● wrong-tag  not solved yet\n" +
		"Next: `labctl shell` to work on it, `labctl hint wrong-tag` for help, `labctl check wrong-tag` when you think that it is done.\n"
	if got != want || code != 0 {
		t.Errorf("exit %d\n%s\nwant\n%s", code, got, want)
	}
	got, code = c.labctl("task", "wrong-tag", "-o", "json")
	var one map[string]any
	if err := json.Unmarshal([]byte(got), &one); err != nil || code != 0 || one["lab"] != "class" || one["scenario"] != "wrong-tag" || one["state"] != "broken" || one["minutes"] != 5.0 || one["goal"] != "The pod `wrong-tag` runs." {
		t.Errorf("as JSON: exit %d, %v\n%s", code, err, got)
	}
	// Neither text nor JSON has the summary, the symptom, the solution, the wrong fixes or the debrief.
	for _, secret := range []string{"cannot be pulled", "nginx", "image", "typo", "to be learned", "Hint"} {
		if strings.Contains(got, secret) {
			t.Errorf("it gives %q away:\n%s", secret, got)
		}
	}
	c.solve()
	if got, _ := c.labctl("task", "wrong-tag"); !strings.Contains(got, "✓ wrong-tag  solved\nNext: `labctl reset wrong-tag` begins again.\n") {
		t.Errorf("solved:\n%s", got)
	}
}

func TestTasksAreListed(t *testing.T) {
	c := newClass(t)
	const want = "TASK       STATE     DIFFICULTY  MINUTES  TITLE\n" +
		"wrong-tag  broken    easy        5        A pod that does not start\n" +
		"running    pristine  -           -        A pod that runs\n" +
		"Next: `labctl task NAME` shows one in full.\n"
	if got, code := c.labctl("task"); got != want || code != 0 {
		t.Errorf("exit %d\n%s\nwant\n%s", code, got, want)
	}
	got, code := c.labctl("task", "-o", "json")
	var all lab.Tasks
	if err := json.Unmarshal([]byte(got), &all); err != nil || code != 0 || len(all.Tasks) != 2 || all.Unseen != "" ||
		len(all.Tasks[0].After) != 2 || all.Tasks[0].After[0] != (lab.Before{Scenario: "running", InLab: true, State: "pristine"}) || all.Tasks[0].After[1] != (lab.Before{Scenario: "elsewhere"}) {
		t.Errorf("as JSON: exit %d, %v\n%s", code, err, got)
	}
	if got, code := c.labctl("task", "wrong-tga"); code != 2 || !strings.Contains(got, `lab class has no scenario "wrong-tga"; it has: wrong-tag running`) {
		t.Errorf("a name that is none: exit %d\n%s", code, got)
	}
}

// A task can be read whatever has become of the cluster: one that refuses says so, one that hangs is not waited for.
func TestTaskIsReadWithoutACluster(t *testing.T) {
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close() // it takes connections and says nothing
	for at, why := range map[string]string{
		"127.0.0.1:1":           "connection refused",
		hanging.Addr().String(): "lab class has not answered within 300ms",
	} {
		c := newClass(t)
		kubeconfig := filepath.Join(c.home, "labs", "class", "kubeconfig")
		text, err := os.ReadFile(kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(kubeconfig, []byte(strings.ReplaceAll(string(text), c.Config().Host, "https://"+at)), 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got, code := c.labctl("task", "wrong-tag")
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: it took %s", why, took)
		}
		if !strings.HasPrefix(got, wrongTagTask) || !strings.Contains(got, "? wrong-tag  where it stands cannot be told now: ") || !strings.Contains(got, why) || !strings.Contains(got, "\nNext: `labctl status class` ") || code != 0 {
			t.Errorf("exit %d, want %q\n%s", code, why, got)
		}
		got, code = c.labctl("task")
		if !strings.Contains(got, "\nwrong-tag  -      easy") || !strings.Contains(got, "\nWhere they stand cannot be told now: ") || !strings.Contains(got, why) || code != 0 {
			t.Errorf("the list: exit %d, want %q\n%s", code, why, got)
		}
	}
}

// Who enters a lab is told what is open, on a terminal.
func TestOpenTasksAreToldOnEntering(t *testing.T) {
	c := newClass(t)
	a, master := onTerminal(t)
	a.Environ = append(a.Environ, "NO_COLOR=1", "LABCTL_HOME="+c.home, "LABCTL_OWNER=me", "PATH="+os.Getenv("PATH"))
	a.Args, a.owner = []string{"labctl"}, "me"
	a.printOpen(t.Context(), "class")
	seen := shows(t, master, "shows one in full.")
	if !strings.Contains(seen, "· wrong-tag  The pod `wrong-tag` runs.") || strings.Contains(seen, "running  ") {
		t.Errorf("it shows\n%s", seen)
	}
}

// After `up` each task that is not solved is told in one line.
func TestGoalsAfterUp(t *testing.T) {
	sc := func(name, goal string) *labfile.Scenario {
		return &labfile.Scenario{Definition: &labfile.Definition{Name: name, Title: "T", Briefing: labfile.Briefing{Goal: goal}}}
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	a := newApp(Process{Out: out})
	a.output = "text"
	err = a.printOutcome(lab.Outcome{Report: &lab.Report{Lab: "l", Verdict: provision.Holds, Resources: []lab.Row{
		{Addr: "scenario.a", State: provision.Current, Answer: provision.Answer{Verdict: provision.Holds}, Phase: "broken"},
		{Addr: "scenario.b", State: provision.Current, Answer: provision.Answer{Verdict: provision.Holds}, Phase: "solved"},
	}}}, []*labfile.Scenario{sc("a", "It\n  runs. "+strings.Repeat("long ", 100)), sc("b", "It runs too.")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "is up after")
	lines := strings.Split(after, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "· a  It runs. long") || !strings.HasSuffix(lines[1], "…") || !strings.Contains(lines[2], "`labctl task NAME`") {
		t.Errorf("%q", lines)
	}
}

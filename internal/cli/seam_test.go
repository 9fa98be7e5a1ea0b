package cli

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
)

// asked is what a command's run function was given: a pointer to its options.
type asked struct{ options any }

// into returns a run function that only keeps its options.
func into[O any](to *asked) func(context.Context, *O) error {
	return func(_ context.Context, o *O) error { to.options = o; return nil }
}

// seams are the commands with a run function that only keeps its options.
func seams(a *app, to *asked) []*cobra.Command {
	return []*cobra.Command{
		newUpCommand(a, into[upOptions](to)), newDownCommand(a, into[downOptions](to)), newStatusCommand(a, into[statusOptions](to)),
		newVerifyCommand(a, into[verifyOptions](to)), newPlanCommand(a, into[planOptions](to)), newValidateCommand(a, into[validateOptions](to)),
		newStopCommand(a, into[stopOptions](to)), newStartCommand(a, into[startOptions](to)), newExtendCommand(a, into[extendOptions](to)),
		newGCCommand(a, into[gcOptions](to)),
		newScenarioCommand(a, into[scenarioOptions](to)), newTaskCommand(a, into[taskOptions](to)), newCheckCommand(a, into[checkOptions](to)), newAnswerCommand(a, into[answerOptions](to)), newHintCommand(a, into[hintOptions](to)),
		newSolveCommand(a, into[solveOptions](to)), newResetCommand(a, into[resetOptions](to)),
		newShellCommand(a, into[shellOptions](to)), newSSHCommand(a, into[sshOptions](to)), newKubectlCommand(a, into[kubectlOptions](to)),
		newKubeconfigCommand(a, into[kubeconfigOptions](to)),
	}
}

// seamRows say what a command makes of its arguments. Between them a command's rows give each of its flags.
var seamRows = []struct {
	args []string
	want func(*app) any
}{
	{[]string{"up", "x.hcl"}, func(a *app) any { return &upOptions{app: a, file: plain("x.hcl")} }},
	{[]string{"up", "x.hcl", "--local", "--name", "n", "--var", "a=1", "--var", "b=2", "--recreate", "--keep-failed"}, func(a *app) any {
		return &upOptions{app: a, file: full("x.hcl"), may: lab.UpOptions{Recreate: true, KeepFailed: true}}
	}},
	{[]string{"up", "-", "--recreate"}, func(a *app) any { return &upOptions{app: a, file: plain("-"), may: lab.UpOptions{Recreate: true}} }},
	{[]string{"down"}, func(a *app) any { return &downOptions{app: a} }},
	{[]string{"down", "day10", "--region", "eu-west-1"}, func(a *app) any { return &downOptions{app: a, target: "day10", region: "eu-west-1"} }},
	{[]string{"status"}, func(a *app) any { return &statusOptions{app: a} }},
	{[]string{"status", "--all"}, func(a *app) any { return &statusOptions{app: a, all: true} }},
	{[]string{"status", "--lab", "a"}, func(a *app) any { return &statusOptions{app: a, lab: "a"} }},
	{[]string{"status", "b", "--lab", "a"}, func(a *app) any { return &statusOptions{app: a, lab: "b"} }},
	{[]string{"verify"}, func(a *app) any { return &verifyOptions{app: a} }},
	{[]string{"verify", "--evidence"}, func(a *app) any { return &verifyOptions{app: a, evidence: true} }},
	{[]string{"verify", "--junit", "x.xml"}, func(a *app) any { return &verifyOptions{app: a, junit: "x.xml"} }},
	{[]string{"plan", "x.hcl", "--local", "--name", "n", "--var", "a=1", "--var", "b=2"}, func(a *app) any { return &planOptions{app: a, file: full("x.hcl")} }},
	{[]string{"validate", "x.hcl", "--local", "--name", "n", "--var", "a=1", "--var", "b=2"}, func(a *app) any { return &validateOptions{app: a, file: full("x.hcl")} }},
	{[]string{"stop"}, func(a *app) any { return &stopOptions{a} }},
	{[]string{"start"}, func(a *app) any { return &startOptions{a} }},
	{[]string{"extend", "90m"}, func(a *app) any { return &extendOptions{app: a, by: 90 * time.Minute} }},
	{[]string{"gc"}, func(a *app) any { return &gcOptions{app: a} }},
	{[]string{"gc", "--dry-run"}, func(a *app) any { return &gcOptions{a, lab.CollectOptions{DryRun: true}} }},
	{[]string{"gc", "--stopped", "--region", "a", "--region", "b"}, func(a *app) any {
		return &gcOptions{a, lab.CollectOptions{Stopped: true, Regions: []string{"a", "b"}, NeedAWS: true}}
	}},
	{[]string{"gc", "--all-regions"}, func(a *app) any { return &gcOptions{a, lab.CollectOptions{NeedAWS: true}} }},
	{[]string{"scenario"}, func(a *app) any { return &scenarioOptions{app: a} }},
	{[]string{"scenario", "crashloop"}, func(a *app) any { return &scenarioOptions{app: a, name: "crashloop"} }},
	{[]string{"task"}, func(a *app) any { return &taskOptions{app: a} }},
	{[]string{"task", "crashloop"}, func(a *app) any { return &taskOptions{app: a, name: "crashloop"} }},
	{[]string{"check", "crashloop"}, func(a *app) any { return &checkOptions{app: a, name: "crashloop"} }},
	{[]string{"check", "crashloop", "--evidence", "--wait", "20s"}, func(a *app) any {
		return &checkOptions{app: a, name: "crashloop", evidence: true, wait: 20 * time.Second}
	}},
	{[]string{"answer", "audit", "a", "b", "--to", "names"}, func(a *app) any {
		return &answerOptions{app: a, name: "audit", to: "names", words: []string{"a", "b"}}
	}},
	{[]string{"hint", "crashloop"}, func(a *app) any { return &hintOptions{app: a, name: "crashloop"} }},
	{[]string{"hint", "crashloop", "--all"}, func(a *app) any { return &hintOptions{app: a, name: "crashloop", all: true} }},
	{[]string{"solve", "crashloop"}, func(a *app) any { return &solveOptions{app: a, name: "crashloop"} }},
	{[]string{"solve", "crashloop", "--show"}, func(a *app) any { return &solveOptions{app: a, name: "crashloop", show: true} }},
	{[]string{"solve", "crashloop", "--run"}, func(a *app) any { return &solveOptions{app: a, name: "crashloop", run: true} }},
	{[]string{"reset", "crashloop"}, func(a *app) any { return &resetOptions{app: a, name: "crashloop"} }},
	{[]string{"shell"}, func(a *app) any { return &shellOptions{app: a, command: []string{}} }},
	{[]string{"shell", "--", "sh", "-c", "kubectl get pods"}, func(a *app) any {
		return &shellOptions{app: a, command: []string{"sh", "-c", "kubectl get pods"}}
	}},
	{[]string{"ssh"}, func(a *app) any { return &sshOptions{app: a, command: []string{}} }},
	{[]string{"ssh", "--", "df", "--yes"}, func(a *app) any { return &sshOptions{app: a, command: []string{"df", "--yes"}} }},
	{[]string{"kubectl", "--", "get", "pods", "-o", "json"}, func(a *app) any { return &kubectlOptions{app: a, args: []string{"get", "pods", "-o", "json"}} }},
	{[]string{"kubeconfig"}, func(a *app) any { return &kubeconfigOptions{app: a} }},
	{[]string{"kubeconfig", "--path"}, func(a *app) any { return &kubeconfigOptions{app: a, path: true} }},
	{[]string{"kubeconfig", "--serve"}, func(a *app) any { return &kubeconfigOptions{app: a, serve: true} }},
	{[]string{"version"}, nil}, // has no options
}

func plain(path string) fileOptions {
	return fileOptions{path: path, FileOptions: lab.FileOptions{Vars: map[string]string{}}}
}

func full(path string) fileOptions {
	return fileOptions{path: path, FileOptions: lab.FileOptions{Local: true, Name: "n", Vars: map[string]string{"a": "1", "b": "2"}}}
}

// rootInto is the tree of commands, each of which only keeps its options.
func rootInto(t *testing.T) (*app, *cobra.Command, *asked) {
	t.Helper()
	a, to := newApp(Process{Args: []string{"labctl"}}), &asked{}
	root := a.root()
	replaced := map[string]*cobra.Command{}
	for _, c := range seams(a, to) {
		replaced[c.Name()] = c
	}
	for _, c := range root.Commands() {
		if with, ok := replaced[c.Name()]; ok {
			with.GroupID = c.GroupID
			root.RemoveCommand(c)
			root.AddCommand(with)
			delete(replaced, c.Name())
		}
	}
	for name := range replaced {
		t.Errorf("%s is tested and not in the tree", name)
	}
	return a, root, to
}

func TestCommandsFillTheirOptions(t *testing.T) {
	given := map[string]map[string]bool{} // the flags that a command's rows give
	for _, row := range seamRows {
		a, root, to := rootInto(t)
		cmd, _, err := root.Find(row.args[:1])
		if err != nil {
			t.Fatal(err)
		}
		root.SetArgs(row.args)
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Errorf("%q: %v", row.args, err)
			continue
		}
		flags := given[cmd.Name()]
		if flags == nil {
			flags = map[string]bool{}
			given[cmd.Name()] = flags
		}
		cmd.Flags().Visit(func(f *pflag.Flag) { flags[f.Name] = true })
		var want any
		if row.want != nil {
			want = row.want(a)
		}
		if !reflect.DeepEqual(to.options, want) {
			t.Errorf("%q becomes\n%s\nwant\n%s", row.args, show(to.options), show(want))
		}
	}
	_, root, _ := rootInto(t)
	for _, c := range root.Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue // cobra's own
		}
		flags, ok := given[c.Name()]
		if !ok {
			t.Errorf("`labctl %s` has no row that says what its arguments become", c.Name())
			continue
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !flags[f.Name] {
				t.Errorf("no row of `labctl %s` gives --%s", c.Name(), f.Name)
			}
		})
	}
}

// show writes options without the app that they hold.
func show(options any) string {
	if options == nil {
		return "nothing"
	}
	text, v := "", reflect.ValueOf(options).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Name != "app" {
			text += fmt.Sprintf("  %s: %+v\n", v.Type().Field(i).Name, v.Field(i))
		}
	}
	return v.Type().Name() + "\n" + text
}

// The global flags are the app's, whose options every command holds.
func TestGlobalFlags(t *testing.T) {
	a, root, to := rootInto(t)
	root.SetArgs([]string{"stop", "--lab", "a", "--owner", "me", "-o", "json", "--events", "ndjson", "-y"})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := to.options.(*stopOptions); o.app != a || o.lab != "a" || o.owner != "me" || o.output != "json" || o.events != "ndjson" || !o.yes {
		t.Errorf("lab %q, owner %q, output %q, events %q, yes %v", o.lab, o.owner, o.output, o.events, o.yes)
	}
	if m := a.machine(lab.FewTries); m.Owner != "me" || m.Attempts != lab.FewTries || m.Events != &a.progress {
		t.Errorf("the machine is %+v", m)
	}
}

// A command line that is wrong never reaches a command.
func TestWrongArgumentsReachNoCommand(t *testing.T) {
	for _, args := range [][]string{
		{"up"}, {"up", "a.hcl", "b.hcl"}, {"up", "x.hcl", "--name", ""}, {"up", "x.hcl", "--var", "x"}, {"down", "a", "b"}, {"status", "a", "b"}, {"verify", "a"},
		{"plan"}, {"validate"}, {"validate", "x.hcl", "--name="}, {"stop", "a"}, {"start", "a"}, {"extend"}, {"extend", "soon"}, {"extend", "73h"},
		{"gc", "a"}, {"gc", "--region", "a", "--all-regions"}, {"scenario", "a", "b"}, {"task", "a", "b"}, {"check"}, {"check", "a", "--wait", "long"}, {"hint"}, {"solve"}, {"solve", "a", "--show", "--run"}, {"reset"},
		{"kubectl"}, {"kubeconfig", "a"}, {"kubeconfig", "--path", "--serve"}, {"stop", "-o", "xml"}, {"stop", "--events", "xml"}, {"stop", "--nonsense"}, {"stopp"},
	} {
		_, root, to := rootInto(t)
		root.SetArgs(args)
		if err := root.ExecuteContext(t.Context()); clierr.ClassOf(err) != clierr.Usage || to.options != nil {
			t.Errorf("%q: %v; the command was given %s", args, err, show(to.options))
		}
	}
}

// TestReadmeNamesEveryCommand: who reads the page finds what there is.
func TestReadmeNamesEveryCommand(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Commands\n")
	table, _, _ = strings.Cut(table, "\n## ")
	named := 0
	for _, c := range newApp(Process{Args: []string{"labctl"}}).root().Commands() {
		if c.GroupID == "" {
			continue // help, completion, version
		}
		named++
		if !regexp.MustCompile("[`, ]" + c.Name() + "[`, ]").MatchString(table) {
			t.Errorf("README's table of commands has no `%s`", c.Name())
		}
	}
	if named == 0 {
		t.Error("no command was looked for")
	}
}

// TestNothingIsOfferedWhereNothingFits: a shell offers files where nobody says otherwise.
func TestNothingIsOfferedWhereNothingFits(t *testing.T) {
	for _, c := range newApp(Process{Args: []string{"labctl"}}).root().Commands() {
		if c.GroupID != "" && c.ValidArgsFunction == nil && !strings.Contains(c.Use, "-- ") {
			t.Errorf("`labctl %s` offers files", c.Name())
		}
	}
}

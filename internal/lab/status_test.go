package lab

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// ofJane is what is found of jane's lab a where an engine has these containers.
func ofJane(st *state.State, unreadable error, containers []docker.Container) Found {
	located := &Located{Labs: []Found{{Lab: "a", Owner: "jane", Mine: true, State: st, Unreadable: unreadable}}}
	for _, c := range containers {
		located.add(c, "jane")
	}
	return located.Labs[0]
}

// TestStanding: containers that run are not yet a lab that is up.
func TestStanding(t *testing.T) {
	labels := map[string]string{provision.LabelLab: "a", provision.LabelOwner: "jane"}
	of := func(states ...string) []docker.Container {
		all := []docker.Container{{Name: "others", State: "running", Labels: map[string]string{provision.LabelLab: "b", provision.LabelOwner: "jane"}}}
		for _, s := range states {
			all = append(all, docker.Container{Name: "node", State: s, Labels: labels})
		}
		return all
	}
	finished := state.ClusterState{Created: true}
	for name, c := range map[string]struct {
		containers []docker.Container
		st         *state.State
		state      Standing
		detail     string
	}{
		"up":                    {of("running", "running"), &state.State{Cluster: finished}, "up", "2 containers run"},
		"up, one node":          {of("running"), &state.State{Cluster: finished}, "up", "1 container runs"},
		"no cluster yet":        {of("running"), &state.State{}, "partial", "its cluster has not been finished; `labctl up` goes on"},
		"up failed half way":    {of("running", "running"), &state.State{Cluster: finished, Unfinished: true}, "partial", "its `labctl up` has not come through"},
		"one is stopped":        {of("running", "exited"), &state.State{Cluster: finished, Unfinished: true}, "partial", "node is exited; `labctl up` repairs it"},
		"all are stopped":       {of("exited"), &state.State{Cluster: finished, Unfinished: true}, "stopped", "`labctl start`"},
		"nothing is there":      {of(), &state.State{}, "gone", "nothing of it exists"},
		"nobody's state, whole": {of("running"), nil, "up", "1 container runs"},
	} {
		if got, detail := standing(ofJane(c.st, nil, c.containers)); got != c.state || !strings.Contains(detail, c.detail) {
			t.Errorf("%s: %s, %q; want %s, %q", name, got, detail, c.state, c.detail)
		}
	}
	if got, detail := standing(ofJane(nil, errors.New("it is cut short"), of("running"))); got != "unknown" || detail != "it is cut short" {
		t.Errorf("with a state that cannot be read: %s, %q", got, detail)
	}
}

// TestUnfinished: an `up` that ended half way is remembered as that, and one that was refused as if it had not been.
func TestUnfinished(t *testing.T) {
	failed := errors.New("the mirror cannot be filled")
	rows := func(s provision.State) *Report {
		return &Report{Resources: []Row{{Addr: "mirror", State: s, Answer: provision.Answer{Verdict: provision.Holds}}}}
	}
	for name, c := range map[string]struct {
		result *Report
		err    error
		saved  bool // there is a state on disk
		want   bool
	}{
		"came through":        {result: rows(provision.Current), saved: true},
		"failed":              {err: failed, saved: true, want: true},
		"interrupted":         {err: context.Canceled, saved: true, want: true},
		"not as declared":     {result: rows(provision.Partial), saved: true, want: true},
		"one refused":         {result: rows(provision.Current), err: clierr.New(clierr.Refused, "somebody else's pod"), saved: true, want: true},
		"refused":             {err: clierr.New(clierr.Refused, "no room"), saved: true},
		"before anything was": {err: failed},
	} {
		files := state.Home{Dir: t.TempDir()}.Lab("a")
		st := &state.State{Lab: "a", Owner: "jane"}
		if c.saved {
			if err := files.Save(st); err != nil {
				t.Fatal(err)
			}
		}
		l := &Lab{m: &Machine{}, files: files, state: st}
		if err := l.rememberEnd(c.result, c.err); !errors.Is(err, c.err) {
			t.Errorf("%s: %v; want %v", name, err, c.err)
		}
		left, err := files.Load()
		if (err == nil) != c.saved || err == nil && left.Unfinished != c.want {
			t.Errorf("%s: it is remembered as %+v, %v; want unfinished %v", name, left, err, c.want)
		}
	}
}

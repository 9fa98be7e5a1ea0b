package kind

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

func TestWhatIsSeenOfACluster(t *testing.T) {
	gone := errors.New("the container is gone")
	for name, c := range map[string]struct {
		change func(*bench)
		state  provision.State
		reason string
	}{
		"healthy":           {func(*bench) {}, provision.Current, "2 nodes ready, Kubernetes 1.35.4"},
		"a node stopped":    {func(b *bench) { b.add("c-worker", "exited", nil) }, provision.Partial, "1 of 2 nodes run; c-worker stopped"},
		"one too many":      {func(b *bench) { b.add("c-worker2", "running", nil) }, provision.Drifted, "3 node containers exist, declared: 2"},
		"another declared":  {func(b *bench) { b.Spec.Nodes = nodes("control-plane", "worker", "worker") }, provision.Drifted, "2 node containers exist, declared: 3; c-worker2 missing"},
		"kind was killed":   {func(b *bench) { b.State.Cluster.Created = false }, provision.Partial, "its creation was interrupted: 2 of 2 node containers exist, and kind had not finished"},
		"a node not ready":  {func(b *bench) { b.node("c-worker", "False", "v1.35.4") }, provision.Partial, "node c-worker is not Ready"},
		"a stranger joined": {func(b *bench) { b.node("x", "True", "v1.35.4") }, provision.Partial, "3 nodes have joined, declared: 2"},
		"another version":   {func(b *bench) { b.node("c-control-plane", "True", "v1.34.1") }, provision.Drifted, "it runs Kubernetes 1.34.1, 1.35 is declared"},
		"started just now":  {func(b *bench) { b.Restarted = true }, provision.Partial, "its nodes were started just now"},
		"the API is away": {func(b *bench) {
			b.Cluster.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, gone }
		}, provision.Partial, "the API does not answer: the container is gone"},
	} {
		b := newBench(t)
		c.change(b)
		seen, err := b.Observe(t.Context())
		if err != nil || seen.State != c.state || seen.Reason != c.reason {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
		if made := b.changes(); len(made) > 0 || len(b.api.Calls()) > 0 {
			t.Errorf("%s: observing it changed %q, %q", name, made, b.api.Calls())
		}
	}
	none := newBench(t)
	none.Cluster.Engine = &docker.Engine{Runner: dockertest.New()}
	if seen, err := none.Observe(t.Context()); err != nil || seen.State != provision.Absent || !strings.Contains(seen.Action, "create a cluster of 2 nodes, Kubernetes 1.35, from kindest/node:v1.35.8@") {
		t.Errorf("none: %+v, %v", seen, err)
	}
}

func TestApplyingAClusterThatIsAsDeclaredChangesNothing(t *testing.T) {
	b := newBench(t)
	for range 2 {
		var reached []string
		err := b.Apply(t.Context(), event.SinkFunc(func(e event.Event) {
			if m, ok := e.(event.Milestone); ok {
				reached = append(reached, m.Name)
			}
		}))
		if err != nil || !slices.Equal(reached, []string{provision.MilestoneNodes, provision.MilestoneAPI}) {
			t.Fatalf("reached %q, %v", reached, err)
		}
	}
	if made := b.changes(); len(made) > 0 || len(b.api.Calls()) > 0 {
		t.Errorf("changed %q, %q", made, b.api.Calls())
	}
	kept, err := b.Files.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(kept.Cluster.Addresses); kept.Cluster.Kubernetes != "1.35.4" || string(got) != `{"c-control-plane":"172.18.0.2","c-worker":"172.18.0.3"}` {
		t.Errorf("kept %+v", kept.Cluster)
	}
}

func TestAClusterWithSomebodysWorkIsReplacedOnlyWhenTold(t *testing.T) {
	b := newBench(t)
	b.node("c-control-plane", "True", "v1.34.1")
	if err := b.Preflight(t.Context()); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(clierr.NextOf(err), "--recreate") {
		t.Errorf("before the first act: %v", err)
	}
	if err := b.Apply(t.Context(), event.Discard); !errors.Is(err, errReplace) {
		t.Errorf("applied: %v", err)
	}
	if made := b.changes(); len(made) > 0 {
		t.Errorf("changed %q", made)
	}
}

func TestStopRemembersTheAddresses(t *testing.T) {
	b := newBench(t)
	b.add("c-worker2", "exited", nil)
	b.Spec.Nodes = nodes("control-plane", "worker", "worker")
	for range 2 {
		if err := b.Stop(t.Context(), event.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Containers(); !slices.Equal(got, []string{"c-control-plane exited", "c-worker exited", "c-worker2 exited"}) || len(b.Ran("stop")) != 2 {
		t.Errorf("%q, by %q", got, b.Ran("stop"))
	}
	kept, err := b.Files.Load()
	if err != nil || kept.Cluster.Addresses["c-worker"] != "172.18.0.3" {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestDestroyGoesByTheMarks(t *testing.T) {
	b := newBench(t)
	b.AddVolume("lost", dockertest.Volume{Labels: map[string]string{provision.LabelLab: "a", provision.LabelOwner: "ann", provision.LabelCluster: "c"}})
	b.AddVolume("foreign", dockertest.Volume{})
	b.Add(dockertest.Container{Name: "foreign", Network: Network})
	b.add("d-control-plane", "running", func(c *dockertest.Container) {
		c.Labels = map[string]string{provision.LabelLab: "a", provision.LabelOwner: "ann", provision.LabelCluster: "d"}
	})
	b.State, b.Spec.Nodes = &state.State{}, nil // state and lab file are lost
	for range 2 {
		if err := b.Destroy(t.Context(), event.Discard); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Containers(); !slices.Equal(got, []string{"d-control-plane running", "foreign running"}) {
		t.Errorf("left: %q", got)
	}
	if got := b.Volumes(); !slices.Equal(got, []string{"d-control-plane-var", "foreign"}) {
		t.Errorf("left: %q", got)
	}
}

func TestAnEndpointThatStaysIsTold(t *testing.T) {
	b := newBench(t)
	b.Before = func(line string) {
		if strings.HasPrefix(line, "network inspect") { // docker has forgotten the container, and not its endpoint
			b.Add(dockertest.Container{Name: "c-worker", Network: Network})
		}
	}
	if err := b.Destroy(t.Context(), event.Discard); clierr.ClassOf(err) != clierr.Leftover || !strings.Contains(clierr.NextOf(err), "network disconnect --force kind c-worker") {
		t.Errorf("%v", err)
	}
}

func TestAnothersNodesAreLeftAlone(t *testing.T) {
	for name, labels := range map[string]map[string]string{
		"without labels":  {labelKindCluster: "c"},
		"another owner's": {labelKindCluster: "c", provision.LabelLab: "a", provision.LabelOwner: "bob", provision.LabelCluster: "c"},
		"another lab's":   {labelKindCluster: "c", provision.LabelLab: "b", provision.LabelOwner: "ann", provision.LabelCluster: "c"},
	} {
		b := newBench(t)
		b.add("c-worker", "running", func(c *dockertest.Container) { c.Labels = labels })
		for what, act := range map[string]func() error{
			"observe":   func() error { _, err := b.Observe(t.Context()); return err },
			"preflight": func() error { return b.Preflight(t.Context()) },
			"apply":     func() error { return b.Apply(t.Context(), event.Discard) },
			"stop":      func() error { return b.Stop(t.Context(), event.Discard) },
		} {
			if err := act(); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "it is left alone") || !strings.Contains(clierr.NextOf(err), "--name") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		if made := b.changes(); len(made) > 0 {
			t.Errorf("%s: changed %q", name, made)
		}
		if err := b.Destroy(t.Context(), event.Discard); err != nil || !slices.Equal(b.Containers(), []string{"c-worker running"}) {
			t.Errorf("%s: destroyed: %v, left %q", name, err, b.Containers())
		}
	}
	// One of a node's name that is no node of kind's is in the way of a new cluster alone.
	b := newBench(t)
	d := dockertest.New()
	d.Add(dockertest.Container{Name: "c-worker"})
	b.Cluster.Engine = &docker.Engine{Runner: d}
	if err := b.Preflight(t.Context()); clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "container c-worker exists and was not made by labctl") {
		t.Errorf("a name that is taken: %v", err)
	}
}

func TestWithoutAnEngineNothingIsSaidOfTheCluster(t *testing.T) {
	b := newBench(t)
	b.Away = true
	for what, act := range map[string]func() error{
		"observe": func() error { _, err := b.Observe(t.Context()); return err },
		"apply":   func() error { return b.Apply(t.Context(), event.Discard) },
		"stop":    func() error { return b.Stop(t.Context(), event.Discard) },
		"destroy": func() error { return b.Destroy(t.Context(), event.Discard) },
	} {
		if err := act(); clierr.ClassOf(err) != clierr.Inconclusive || !errors.Is(err, docker.ErrNoEngine) || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

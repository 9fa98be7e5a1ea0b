package docker

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/state"
)

// networked is an engine with networks that are all called kind, as docker 20.10 answers of them.
type networked struct {
	running map[string][]string // by id, the containers that run
	stopped map[string][]string
	removed []string
}

func (n *networked) Run(_ context.Context, c command.Command) error {
	line, last := strings.Join(c.Argv[1:], " "), c.Argv[len(c.Argv)-1]
	out := ""
	switch {
	case strings.HasPrefix(line, "network ls"):
		for id := range n.running {
			out += id + "\n"
		}
	case strings.HasPrefix(line, "network inspect") && last == "kind" && len(n.running) > 1:
		return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Error response from daemon: 2 matches found based on name: network kind is ambiguous"}
	case strings.HasPrefix(line, "network inspect --format"):
		for _, names := range n.running {
			out += strings.Join(names, "\n") + "\n"
		}
	case strings.HasPrefix(line, "network inspect"):
		var all []string
		for _, id := range c.Argv[3:] {
			var in []string
			for _, name := range n.running[id] {
				in = append(in, fmt.Sprintf(`%q:{"Name":%q}`, name, name))
			}
			all = append(all, fmt.Sprintf(`{"Id":%q,"Containers":{%s}}`, id, strings.Join(in, ",")))
		}
		out = "[" + strings.Join(all, ",") + "]"
	case strings.HasPrefix(line, "ps"):
		for _, name := range n.stopped[strings.TrimPrefix(last, "network=")] {
			out += fmt.Sprintf("{\"id\":\"1\",\"name\":%q,\"state\":\"exited\"}\n", name)
		}
	case strings.HasPrefix(line, "network rm"):
		n.removed = append(n.removed, last)
		delete(n.running, last)
	}
	_, err := io.WriteString(c.Stdout, out)
	return err
}

func TestOnlyAnEmptyDuplicateOfANetworkIsRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		engine  networked
		removed []string
		refused bool
	}{
		"the only one":          {networked{running: map[string][]string{"a": nil}}, nil, false},
		"two empty ones":        {networked{running: map[string][]string{"b": nil, "a": nil}}, []string{"b"}, false},
		"the second in use":     {networked{running: map[string][]string{"a": nil, "b": {"n"}}}, []string{"a"}, false},
		"one of a stopped lab":  {networked{running: map[string][]string{"a": nil, "b": nil}, stopped: map[string][]string{"b": {"n"}}}, []string{"a"}, false},
		"two in use, one empty": {networked{running: map[string][]string{"a": {"m"}, "b": {"n"}, "c": nil}}, []string{"c"}, true},
	} {
		journal, err := state.Home{Dir: t.TempDir()}.Lab("x").OpenJournal()
		if err != nil {
			t.Fatal(err)
		}
		engine := &Engine{Runner: &c.engine, Journal: journal}
		if err := engine.CheckNetworks(t.Context(), "kind"); (clierr.ClassOf(err) == clierr.Refused && err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := engine.Endpoints(t.Context(), "kind"); err != nil {
			t.Errorf("%s: endpoints: %v", name, err)
		}
		if err := engine.RemoveDuplicateNetworks(t.Context(), "cluster.kind.x", "kind"); err != nil || !slices.Equal(c.engine.removed, c.removed) {
			t.Errorf("%s: removed %q, %v", name, c.engine.removed, err)
		}
		records, err := journal.Records()
		if err != nil || len(records) != 2*len(c.removed) {
			t.Errorf("%s: journalled %d records, %v", name, len(records), err)
		}
	}
}

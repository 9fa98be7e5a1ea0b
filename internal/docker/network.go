package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
)

// Endpoints lists the names of the containers that are attached to the networks of a name; a network that is not
// there has none. An engine may have several networks of one name: two that are made at once both succeed.
func (e *Engine) Endpoints(ctx context.Context, network string) ([]string, error) {
	const format = "{{range .Containers}}{{println .Name}}{{end}}"
	out, err := e.Output(ctx, "network", "inspect", "--format", format, network)
	if err != nil && strings.Contains(err.Error(), "is ambiguous") {
		ids, lerr := e.networks(ctx, network)
		if lerr != nil {
			return nil, lerr
		}
		out, err = e.Output(ctx, append([]string{"network", "inspect", "--format", format}, ids...)...)
	}
	if err != nil {
		if noSuchNetwork(err) {
			return nil, nil
		}
		return nil, noEngine(err)
	}
	return strings.Fields(out), nil
}

func noSuchNetwork(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "no such network") || strings.Contains(text, "not found")
}

// networks lists the ids of the networks of a name, in an order that is the same for everybody.
func (e *Engine) networks(ctx context.Context, name string) ([]string, error) {
	out, err := e.Output(ctx, "network", "ls", "--no-trunc", "--filter", "name=^"+name+"$", "--format", "{{.ID}}")
	ids := strings.Fields(out)
	slices.Sort(ids)
	return ids, noEngineOr(err)
}

func noEngineOr(err error) error {
	if err == nil {
		return nil
	}
	return noEngine(err)
}

// network is one of several of a name.
type network struct {
	id    string
	users []string // containers that have it, running or not
}

// sameName looks at the networks of a name; that with the most users comes first, as kind has it, then by id.
func (e *Engine) sameName(ctx context.Context, name string) ([]network, error) {
	ids, err := e.networks(ctx, name)
	if err != nil || len(ids) < 2 {
		return nil, err
	}
	out, err := e.Output(ctx, append([]string{"network", "inspect"}, ids...)...)
	if err != nil {
		return nil, err
	}
	var details []struct {
		ID         string `json:"Id"`
		Containers map[string]struct{ Name string }
	}
	if err := json.Unmarshal([]byte(out), &details); err != nil {
		return nil, fmt.Errorf("reading docker network inspect: %w", err)
	}
	var all []network
	for _, d := range details {
		n := network{id: d.ID}
		for _, c := range d.Containers {
			n.users = append(n.users, c.Name)
		}
		// One that is stopped has no endpoint, and still its network.
		stopped, err := e.list(ctx, []string{"--filter", "network=" + d.ID})
		if err != nil {
			return nil, err
		}
		for _, c := range stopped {
			n.users = append(n.users, c.Name)
		}
		slices.Sort(n.users)
		n.users = slices.Compact(n.users)
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b network) int {
		return cmp.Or(len(b.users)-len(a.users), strings.Compare(a.id, b.id))
	})
	return all, nil
}

// CheckNetworks refuses where several networks of a name are in use: docker cannot tell them apart by it.
func (e *Engine) CheckNetworks(ctx context.Context, name string) error {
	all, err := e.sameName(ctx, name)
	if err != nil || len(all) < 2 || len(all[1].users) == 0 {
		return err
	}
	return clierr.New(clierr.Refused, "%d docker networks are called %s, and two are in use: %.12s by %s, %.12s by %s", len(all), name,
		all[0].id, strings.Join(all[0].users, ", "), all[1].id, strings.Join(all[1].users, ", ")).
		WithNext("Remove the containers of one, then `docker network rm` it by its id; labctl removes only empty duplicates.")
}

// RemoveDuplicateNetworks removes the empty ones among the networks of a name but for one, which every labctl and
// kind choose alike. One that a container has, running or not, or the only one, is never removed.
func (e *Engine) RemoveDuplicateNetworks(ctx context.Context, addr, name string) error {
	all, err := e.sameName(ctx, name)
	if err != nil || len(all) < 2 {
		return err
	}
	for _, n := range all[1:] {
		if len(n.users) > 0 {
			continue
		}
		act := state.Act{Verb: "docker network rm", Object: n.id, Addr: addr, Detail: "an empty duplicate of " + name}
		if _, err := e.Change(ctx, act, nil, "network", "rm", n.id); err != nil && !noSuchNetwork(err) {
			return err // it is no error that somebody else was faster
		}
	}
	return nil
}

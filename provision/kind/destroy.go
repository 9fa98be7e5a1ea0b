package kind

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

// Destroy implements provision.Resource. It goes by the marks alone, so it needs neither state nor
// lab file, and returns nil only when no container, volume or network endpoint of the cluster is
// left.
func (c *Cluster) Destroy(ctx context.Context, sink event.Sink) error {
	c.forget()
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "removing the nodes", Expect: 4 * time.Second})
	removed, err := c.Engine.Clear(ctx, c.Addr(), c.Seen, c.labels()...)
	if errors.Is(err, docker.ErrNoEngine) {
		return unreachable(err)
	}
	if err != nil {
		return err
	}
	endpoints, err := c.Engine.Endpoints(ctx, Network)
	if err != nil {
		return unreachable(err)
	}
	for _, n := range removed {
		if slices.Contains(endpoints, n.Name) {
			return clierr.New(clierr.Leftover, "%s is gone, but its endpoint on network %s is not", n.Name, Network).
				WithNext("`docker network disconnect --force %s %s` removes it; then run `labctl down %s` again.", Network, n.Name, c.Ownership.Lab)
		}
	}
	return nil
}

// Network is the docker network that kind puts every cluster's nodes on. It is shared and never
// removed.
const Network = "kind"

// Stop stops the nodes; disk and everything in it stay. Start is Apply.
func (c *Cluster) Stop(ctx context.Context, sink event.Sink) error {
	nodes, err := c.nodes(ctx)
	if err != nil {
		return err
	}
	running := slices.DeleteFunc(nodes, func(n docker.Container) bool { return n.State != "running" })
	if len(running) == 0 {
		return nil
	}
	if addresses, err := c.addresses(ctx); err == nil {
		c.State.Cluster.Addresses = addresses
		if err := c.Files.Save(c.State); err != nil {
			return err
		}
	}
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "stopping " + names(running), Expect: 10 * time.Second})
	c.forget()
	return c.Engine.Stop(ctx, c.Addr(), "10", running...)
}

// parsePairs reads lines of a container's name and one word about it.
func parsePairs(out string) map[string]string {
	found := map[string]string{}
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) == 2 {
			found[strings.TrimPrefix(fields[0], "/")] = fields[1]
		}
	}
	return found
}

// noRegistry explains a pull that failed.
func noRegistry(image string, err error) *clierr.Error {
	return clierr.New(clierr.Failed, "pulling %s: %w", image, err).
		WithNext("Without a registry, `make node-image` in labctl's repository builds a node image on this machine.")
}

var _ provision.Resource = (*Cluster)(nil)

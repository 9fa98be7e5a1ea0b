package kind

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kube"
)

// Answers returns nil when the API server answers. One that nothing listens for is said to be away at
// once; one that is silent or not ready gets a few seconds.
func (c *Cluster) Answers(ctx context.Context) error {
	client, err := c.Client(ctx)
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err = kube.Retry(wait, func(err error) bool { return kube.Unreachable(err) && !errors.Is(err, syscall.ECONNREFUSED) }, client.Ready)
	if ctx.Err() != nil || !kube.Unreachable(err) {
		return err
	}
	return c.Unanswered(ctx, err)
}

// Unanswered says why the lab's API server does not answer, as far as the engine knows, since when, and
// what brings it back. cause is what the client met.
func (c *Cluster) Unanswered(ctx context.Context, cause error) error {
	if err := c.UnansweredBy(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	said := "the API server of lab " + c.Ownership.Lab + " does not answer"
	said += " (" + why(cause) + ")"
	up := c.State.UpCommand()
	nodes, err := c.nodes(ctx)
	if err != nil {
		return clierr.New(clierr.Inconclusive, "%s, nor does the Docker engine: %w", said, err).WithNext("%s", clierr.NextOf(err))
	}
	i := slices.IndexFunc(nodes, func(n docker.Container) bool { return n.Name == c.ControlPlane() })
	if i < 0 {
		return clierr.New(clierr.Inconclusive, "%s: its node %s does not exist", said, c.ControlPlane()).
			WithNext("`labctl status %s` shows what there is of it; `%s` makes what is missing.", c.Ownership.Lab, up)
	}
	node, since := nodes[i], c.since(ctx, nodes[i])
	switch node.State {
	case "running":
		return clierr.New(clierr.Inconclusive, "%s, though its node %s is running%s", said, node.Name, since).
			WithNext("%s", c.waitForIt())
	case "paused":
		return clierr.New(clierr.Inconclusive, "%s: its node %s is paused", said, node.Name).
			WithNext("`docker unpause %s` wakes it.", node.Name)
	}
	return clierr.New(clierr.Inconclusive, "%s: its node %s is stopped%s", said, node.Name, since).
		WithNext("`labctl start` brings it back.")
}

// waitForIt is what to type when the API server of a node that runs does not answer.
func (c *Cluster) waitForIt() string {
	return fmt.Sprintf("`%s` waits for it, and restarts the control plane if it stays away.", c.State.UpCommand())
}

// why says in a few words why a request came to nothing.
func why(err error) string {
	var away *kube.AwayError
	if errors.As(err, &away) {
		return away.Why()
	}
	return err.Error()
}

// since says since when a node's container is as it is, " since 2026-11-26 13:05"; "" when the engine
// does not say.
func (c *Cluster) since(ctx context.Context, node docker.Container) string {
	field := "FinishedAt"
	if node.State == "running" {
		field = "StartedAt"
	}
	out, err := c.Engine.Output(ctx, "inspect", "--format", "{{.State."+field+"}}", node.Name)
	if err != nil {
		return ""
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(out))
	if err != nil || at.Year() < 2000 { // never started or never ended: year 1
		return ""
	}
	return fmt.Sprintf(" since %s", at.Local().Format("2006-01-02 15:04"))
}

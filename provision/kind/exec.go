package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// OnNode runs a command on a node of the cluster and returns what it wrote to stdout. It takes a node by its whole name or
// without the cluster's: "worker2". It asks the container engine, so it needs no API server. The command has a minute
// where ctx gives it more. It is for what only looks: it leaves no record in the journal.
func (c *Cluster) OnNode(ctx context.Context, node string, argv ...string) (string, error) {
	names := c.NodeNames()
	i := slices.IndexFunc(names, func(name string) bool { return name == node || name == c.Spec.Name+"-"+node })
	if i < 0 {
		return "", fmt.Errorf("cluster %s has no node %s; it has %s", c.Spec.Name, node, strings.Join(names, ", "))
	}
	return c.Engine.Output(ctx, append([]string{"exec", names[i]}, argv...)...)
}

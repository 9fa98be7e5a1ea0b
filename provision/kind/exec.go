package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/state"
)

// NodeName returns a node's whole name for that, or for the part after the cluster's: "worker2". false: there is no such node.
func (c *Cluster) NodeName(node string) (name string, is bool) {
	names := c.NodeNames()
	i := slices.IndexFunc(names, func(name string) bool { return name == node || name == c.Spec.Name+"-"+node })
	if i < 0 {
		return "", false
	}
	return names[i], true
}

// OnNode runs a command on a node of the cluster and returns what it wrote to stdout. It takes a node as NodeName does.
// It asks the container engine, so it needs no API server. The command has a minute where ctx gives it more. It is for
// what only looks: it leaves no record in the journal.
func (c *Cluster) OnNode(ctx context.Context, node string, argv ...string) (string, error) {
	name, err := c.node(node)
	if err != nil {
		return "", err
	}
	return c.Engine.Output(ctx, append([]string{"exec", name}, argv...)...)
}

// ChangeNode is OnNode for a command that changes the node. It is journalled before, with the address of the resource that
// asks for it and what is done in words.
func (c *Cluster) ChangeNode(ctx context.Context, node, addr, what string, argv ...string) (string, error) {
	name, err := c.node(node)
	if err != nil {
		return "", err
	}
	act := state.Act{Verb: "docker exec", Object: name, Addr: addr, Detail: what}
	return c.Engine.Change(ctx, act, nil, append([]string{"exec", name}, argv...)...)
}

func (c *Cluster) node(node string) (string, error) {
	name, is := c.NodeName(node)
	if !is {
		return "", fmt.Errorf("cluster %s has no node %s; it has %s", c.Spec.Name, node, strings.Join(c.NodeNames(), ", "))
	}
	return name, nil
}

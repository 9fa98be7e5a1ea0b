package kind

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// How long things may take before labctl says that they do not come. The usual times, on a 2-core
// machine with the images present, are a tenth of these.
const (
	createTimeout  = 15 * time.Minute // the pull of a node image not included
	pullTimeout    = 30 * time.Minute // 400 MB on a line that is slow
	restartTimeout = 90 * time.Second
	readyTimeout   = 5 * time.Minute
)

// Preflight implements provision.Preflighter: names, port, image and room, before the first act.
func (c *Cluster) Preflight(ctx context.Context) error {
	seen, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	if seen.remedy == replace && !c.Recreate {
		return clierr.New(clierr.Refused, "%w: %s", errReplace, seen.Reason).
			WithNext("`labctl up --recreate` replaces it; what was done inside is lost. `labctl status` shows what runs.")
	}
	if seen.remedy != create && seen.remedy != recreate && seen.remedy != replace {
		return nil
	}
	strangers, err := c.Engine.Named(ctx, c.NodeNames()...)
	if err != nil {
		return unreachable(err)
	}
	for _, n := range strangers {
		if !c.Ownership.On(n.Labels) {
			return c.foreign(n)
		}
	}
	if seen.remedy == create && c.Spec.APIPort != 0 && c.Dial == nil {
		if err := checkPort(c.Spec.APIPort); err != nil {
			return err
		}
	}
	if c.image, err = resolveImage(ctx, c.Engine, c.Spec.Image, c.Spec.Kubernetes); err != nil {
		return err
	}
	if err := c.Engine.CheckNetworks(ctx, Network); err != nil {
		return err
	}
	return c.CheckRoom(ctx, c.image.id)
}

// checkPort finds out whether a port of this machine's loopback can be had, by taking it.
func checkPort(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return clierr.New(clierr.Refused, "port %d on 127.0.0.1, the cluster's api_port, is taken: %w", port, err).
			WithNext("Set another `api_port` in the cluster block, or none: then a free one is chosen.")
	}
	return l.Close()
}

// Apply implements provision.Resource.
func (c *Cluster) Apply(ctx context.Context, sink event.Sink) error {
	seen, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	switch seen.remedy {
	case recreate, replace:
		if seen.remedy == replace && !c.Recreate {
			return errReplace
		}
		sink.Emit(event.Progress{Addr: c.Addr(), Step: "removing " + names(seen.containers), Expect: 5 * time.Second})
		if err := c.Engine.Remove(ctx, c.Addr(), seen.containers...); err != nil {
			return err
		}
		fallthrough
	case create:
		err = c.create(ctx, sink)
	case start:
		err = c.restart(ctx, sink, seen.stopped)
	case await, nothing:
		err = c.revive(ctx, sink)
	}
	if err != nil {
		return err
	}
	made := seen.remedy == create || seen.remedy == recreate || seen.remedy == replace
	return c.awaitReady(ctx, sink, made)
}

// restart starts stopped containers and waits for the API. They are started in the order of the
// addresses that they had, because the engine gives out the lowest free one.
func (c *Cluster) restart(ctx context.Context, sink event.Sink, stopped []docker.Container) error {
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "starting " + names(stopped), Expect: 8 * time.Second})
	slices.SortFunc(stopped, func(a, b docker.Container) int {
		return slices.Compare(c.addressOf(a.Name), c.addressOf(b.Name))
	})
	c.forget() // the published port may be another one
	c.Restarted = true
	if err := c.Engine.Start(ctx, c.Addr(), stopped...); err != nil {
		return err
	}
	return c.revive(ctx, sink)
}

func (c *Cluster) addressOf(name string) []byte {
	return net.ParseIP(c.State.Cluster.Addresses[name]).To16()
}

// revive waits for the API of a cluster whose containers run. A control plane that does not come
// back by itself is restarted once: after a lost lease or a moved address that is what helps.
func (c *Cluster) revive(ctx context.Context, sink event.Sink) error {
	sink.Emit(event.Milestone{Addr: c.Addr(), Name: provision.MilestoneNodes})
	if t := takenAPI(c.takenAway(ctx)); t != nil {
		return clierr.New(clierr.Inconclusive, "the API server cannot be waited for: %s", t).
			WithNext("`labctl reset %s` brings it back.", t.Scenario)
	}
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "waiting for the API server", Expect: 8 * time.Second})
	err := c.awaitAPI(ctx, restartTimeout)
	if err == nil || ctx.Err() != nil {
		return c.reachedAPI(sink, err)
	}
	cp, lerr := c.Engine.Named(ctx, c.ControlPlane())
	if lerr != nil || len(cp) == 0 {
		return errors.Join(err, lerr)
	}
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "restarting " + c.ControlPlane(), Expect: 20 * time.Second})
	if err := c.Engine.Stop(ctx, c.Addr(), "10", cp...); err != nil {
		return err
	}
	if err := c.Engine.Start(ctx, c.Addr(), cp...); err != nil {
		return err
	}
	c.forget()
	c.Restarted = true
	err = c.awaitAPI(ctx, restartTimeout)
	if err != nil && ctx.Err() == nil {
		return clierr.New(clierr.Failed, "the API server does not come back: %w", err).
			WithNext("`labctl down %s`, then `labctl up` makes the cluster anew; what was done in it is lost.", c.Ownership.Lab)
	}
	return c.reachedAPI(sink, err)
}

func (c *Cluster) reachedAPI(sink event.Sink, err error) error {
	if err != nil {
		return err
	}
	sink.Emit(event.Milestone{Addr: c.Addr(), Name: provision.MilestoneAPI})
	return nil
}

// awaitAPI fetches the kubeconfig anew, keeps it with the lab's files, and waits until the API takes
// objects.
func (c *Cluster) awaitAPI(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", count.Duration(limit)))
	defer cancel()
	kubeconfig, err := c.fetchKubeconfig(ctx, true)
	if err != nil {
		return err
	}
	if err := c.Files.WriteFile(state.KubeconfigFile, kubeconfig); err != nil {
		return err
	}
	access, err := kube.ReadAccess(kubeconfig, c.ContextName())
	if err != nil {
		return err
	}
	c.mu.Lock()
	client, err := c.connect(access)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return client.WaitAPI(ctx)
}

// awaitReady returns when every declared node and CoreDNS are ready, and keeps that in the state. What
// the API of a cluster that was just made says is news; of any other it may be an echo.
func (c *Cluster) awaitReady(ctx context.Context, sink event.Sink, made bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client, err := c.Client(ctx)
	if err != nil {
		return err
	}
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "waiting for nodes and CoreDNS", Expect: 8 * time.Second})
	if !made {
		if err := c.waitForHeartbeats(ctx, client); err != nil {
			return err
		}
	}
	if err := client.WaitReady(ctx, len(c.Spec.Nodes), takenNodes(c.takenAway(ctx))...); err != nil {
		return err
	}
	health, err := c.health(ctx)
	if err != nil {
		return err
	}
	c.version, c.Restarted = health.Version, false
	addresses, err := c.addresses(ctx)
	if err != nil {
		return err
	}
	c.State.Cluster.Kubernetes, c.State.Cluster.Addresses = health.Version, addresses
	return c.Files.Save(c.State)
}

// addresses reads the nodes' addresses off the engine.
func (c *Cluster) addresses(ctx context.Context) (map[string]string, error) {
	const format = "{{.Name}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
	out, err := c.Engine.Output(ctx, append([]string{"inspect", "--format", format}, c.NodeNames()...)...)
	if err != nil {
		return nil, err
	}
	return parsePairs(out), nil
}

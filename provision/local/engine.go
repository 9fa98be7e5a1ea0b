// Package local is a Docker engine as a resource: this machine's own, or that of a lab's host. labctl neither installs nor
// stops it: it looks whether the lab can run there, and says what to do when it cannot.
package local

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

// Engine is the resource "engine.docker.local", or "engine.docker.NAME" on a host of that name.
type Engine struct {
	Docker *docker.Engine
	// Host is what has to be there first, and Name its name; without, the engine is this machine's.
	Host      provision.Resource
	Name      string
	Ownership provision.Ownership // of the lab, for what measures the engine's machine
	// Nodes is how many node containers the lab will run; it decides what must be free.
	Nodes int
}

// Addr implements provision.Resource.
func (e *Engine) Addr() string {
	if e.Host != nil {
		return "engine.docker." + e.Name
	}
	return "engine.docker.local"
}

// Needs implements provision.Resource.
func (e *Engine) Needs() []provision.Need {
	if e.Host != nil {
		return []provision.Need{{Resource: e.Host}}
	}
	return nil
}

// Observe implements provision.Resource. An engine that does not answer is absent.
func (e *Engine) Observe(ctx context.Context) (provision.Observation, error) {
	info, err := e.Docker.Info(ctx)
	if errors.Is(err, docker.ErrNoEngine) && e.Host != nil {
		return provision.Observation{}, clierr.New(clierr.Inconclusive, "the engine on %s: %w", e.Host.Addr(), err).
			WithNext("`labctl up` looks after the host.")
	}
	if errors.Is(err, docker.ErrNoEngine) && !errors.Is(err, docker.ErrHangs) {
		return provision.Observation{}, clierr.New(clierr.Refused, "%w", err).
			WithNext("Start Docker and try again; on Debian as root, `make engine` in labctl's repository installs and starts one.")
	}
	if err != nil {
		return provision.Observation{}, err
	}
	if err := checkVersion(info.ServerVersion); err != nil {
		return provision.Observation{}, err
	}
	return provision.Observation{
		State:  provision.Current,
		Reason: fmt.Sprintf("Docker %s, cgroup v%s", info.ServerVersion, info.CgroupVersion),
	}, nil
}

// Apply implements provision.Resource. There is nothing to do but to look at an engine that could not
// be seen before.
func (e *Engine) Apply(ctx context.Context, sink event.Sink) error {
	if e.Host != nil {
		if _, err := e.Observe(ctx); err != nil {
			return err
		}
	}
	sink.Emit(event.Milestone{Addr: e.Addr(), Name: provision.MilestoneEngine})
	return nil
}

// Destroy implements provision.Resource: the engine is not ours.
func (e *Engine) Destroy(context.Context, event.Sink) error { return nil }

// oldestEngine is the first release with --cgroupns, which kind passes to docker run (API 1.41).
var oldestEngine = version.MajorMinor(20, 10)

func checkVersion(engine string) error {
	have, err := version.ParseGeneric(engine)
	if err != nil {
		return nil // a development build; kind will tell
	}
	if have.LessThan(oldestEngine) {
		return clierr.New(clierr.Refused, "Docker %s is too old: kind needs %s or newer", engine, oldestEngine).
			WithNext("Upgrade Docker, then run the same command again.")
	}
	return nil
}

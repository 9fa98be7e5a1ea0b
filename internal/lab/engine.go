package lab

import (
	"context"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
)

// ensureSameEngine refuses to work on a lab of this machine through another engine than the one that it was made
// on: there nothing of it exists, and what does would be forgotten. A state without an engine says nothing; `up`
// sets it. An engine that does not answer is no answer either: whoever asks it next says so.
//
// An engine with another id at the same address is one that was set up anew (Docker Desktop's reset, a fresh
// docker-in-docker): with the old one everything on it is gone, and `down` and `up` go on from there.
func (l *Lab) ensureSameEngine(ctx context.Context) error {
	if at := differs(ctx, l.engine, l.state); l.remote == nil && at != "" {
		return otherEngine(clierr.Refused, l.state, at)
	}
	return nil
}

// differs returns where docker's commands go when that is not the engine of the lab; "" when it is, or nobody knows.
func differs(ctx context.Context, engine *docker.Engine, st *state.State) string {
	if len(st.Host) > 0 || st.Engine.ID == "" {
		return ""
	}
	info, err := engine.Info(ctx)
	if err != nil || info.ID == st.Engine.ID {
		return ""
	}
	at := endpoint(ctx, engine, info)
	if at == st.Engine.Endpoint {
		return ""
	}
	return at
}

// otherEngine says that a lab is on another engine than the one that docker speaks to.
func otherEngine(class clierr.Class, st *state.State, at string) error {
	address, _, _ := strings.Cut(st.Engine.Endpoint, " on ")
	return clierr.New(class, "lab %s was made on the Docker engine at %s, and docker speaks to another one now, at %s; nothing was changed", st.Lab, st.Engine.Endpoint, at).
		WithNext("Set DOCKER_HOST=%s or the docker context that leads there, then run the same command again.", address)
}

// noteEngine keeps on which engine the lab is made, before the first act.
func (l *Lab) noteEngine(ctx context.Context) {
	if l.remote != nil {
		return
	}
	info, err := l.engine.Info(ctx)
	if err != nil || info.ID == l.state.Engine.ID {
		return // an engine that does not answer is told of by what comes next
	}
	l.state.Engine = state.EngineState{ID: info.ID, Endpoint: endpoint(ctx, l.engine, info)}
}

// endpoint is where docker's commands go. A path or a loopback address means something else on every machine, so
// the name of the engine's machine goes with it.
func endpoint(ctx context.Context, engine *docker.Engine, info docker.Info) string {
	at, err := engine.Endpoint(ctx)
	if err != nil {
		at = "an unknown address"
	}
	return at + " on " + info.Name
}

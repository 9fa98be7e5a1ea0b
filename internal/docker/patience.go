package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
)

// How long a docker command may take. An engine answers within a fraction of a second; the bounds are for
// one that hangs, and far from what a busy machine takes.
const (
	// readTimeout is for what the engine knows.
	readTimeout = 10 * time.Second
	// volumeReadTimeout is for what may have to wait for a volume that is being removed.
	volumeReadTimeout = 30 * time.Second
	// slowReadTimeout is for what runs a program in a container.
	slowReadTimeout = time.Minute
	// changeTimeout is for a change of containers and volumes, the copying of a node's 900 MB included.
	changeTimeout = 10 * time.Minute
	// transferTimeout is for a change that may have to fetch an image: 1 GB at 300 KB/s.
	transferTimeout = time.Hour
)

// bounded gives a command its time, unless ctx gives it less.
func bounded(ctx context.Context, args []string, changes bool) (context.Context, context.CancelFunc) {
	within := readTimeout
	switch {
	case changes && slices.Contains([]string{"pull", "run", "create", "save"}, args[0]):
		within = transferTimeout
	case changes:
		within = changeTimeout
	case args[0] == "exec":
		within = slowReadTimeout
	case args[0] == "volume", args[0] == "inspect":
		within = volumeReadTimeout
	}
	words := args[0]
	if len(args) > 1 && slices.Contains([]string{"volume", "network", "image", "container"}, args[0]) {
		words += " " + args[1]
	}
	if changes {
		return context.WithTimeoutCause(ctx, within, clierr.New(clierr.Inconclusive, "docker %s has not ended within %s", words, count.Duration(within)).
			WithNext("`docker info` shows whether the engine answers; then run the same labctl command again: it looks at what is there first."))
	}
	return context.WithTimeoutCause(ctx, within, clierr.New(clierr.Inconclusive, "%w", hang{count.Duration(within), words}).
		WithNext("Start the engine again where `docker info` does not answer either, then run the same command."))
}

// ErrHangs is wrapped, besides ErrNoEngine, by errors that say that an engine was asked and has not answered in time.
var ErrHangs = errors.New("the Docker engine hangs")

// hang is a command that was not answered in time.
type hang struct{ within, command string }

func (h hang) Error() string {
	return fmt.Sprintf("%s within %s (docker %s)", ErrNoEngine, h.within, h.command)
}

// Is makes a hang both of the errors that it is.
func (hang) Is(target error) bool { return target == ErrNoEngine || target == ErrHangs }

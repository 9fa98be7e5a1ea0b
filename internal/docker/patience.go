package docker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/fault"
)

// How long a docker command may take. An engine answers within a fraction of a second; the bounds are for
// one that hangs, and far from what a busy machine takes.
const (
	// readTimeout is for what the engine knows.
	readTimeout = 10 * time.Second
	// slowReadTimeout is for what waits for a volume that is being removed, or runs a program in a container.
	slowReadTimeout = time.Minute
	// changeTimeout is for a change of containers and volumes, the copying of a node's 900 MB included.
	changeTimeout = 10 * time.Minute
	// transferTimeout is for a change that may have to fetch an image: 1 GB at 300 KB/s.
	transferTimeout = time.Hour
)

// bounded gives a command its time, unless ctx gives it less.
func bounded(ctx context.Context, args []string, changes bool) (context.Context, context.CancelFunc) {
	within := readTimeout
	switch slow := slices.Contains([]string{"exec", "volume", "inspect", "events", "logs"}, args[0]); {
	case changes && slices.Contains([]string{"pull", "push", "run", "create", "build", "load", "save"}, args[0]):
		within = transferTimeout
	case changes:
		within = changeTimeout
	case slow:
		within = slowReadTimeout
	}
	words := args[0]
	if len(args) > 1 && slices.Contains([]string{"volume", "network", "image", "container"}, args[0]) {
		words += " " + args[1]
	}
	if changes {
		return context.WithTimeoutCause(ctx, within, fault.New(fault.Unknown, "docker %s has not ended within %s", words, brief(within)).
			WithNext("`docker info` shows whether the engine answers; then run the same labctl command again: it looks at what is there first."))
	}
	return context.WithTimeoutCause(ctx, within, fault.New(fault.Unknown, "%w within %s (docker %s)", ErrNoEngine, brief(within), words).
		WithNext("Start the engine again where `docker info` does not answer either, then run the same command."))
}

// brief is a duration without its zeroes: 10m, not 10m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
)

// stopInOrder bounds the stopping of what is on a host: one that does not answer must not go on costing.
const stopInOrder = 2 * time.Minute

// Stop stops the lab's containers, and after them the host that they are on, if it is not this machine. What is in
// them stays. It returns the host as it is then; nil for a lab on this machine.
func (l *Lab) Stop(ctx context.Context) (*HostStatus, error) {
	if l.remote != nil {
		return l.stopHost(ctx)
	}
	release, err := l.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return nil, l.stopContainers(ctx)
}

func (l *Lab) stopContainers(ctx context.Context) error {
	if err := l.cluster.Stop(ctx, l.m.Events); err != nil {
		return err
	}
	if l.mirror != nil {
		return l.mirror.Stop(ctx)
	}
	return nil
}

// stopHost stops what is on the host, so that it ends in order, and then the host, whether the first
// succeeded or not: that is what costs.
func (l *Lab) stopHost(ctx context.Context) (*HostStatus, error) {
	release, err := l.lock(ctx, awaitNone)
	if err != nil {
		return nil, err
	}
	defer release()
	seen, err := l.remote.Observe(ctx)
	if err != nil && l.remote.keyless == nil {
		return nil, err
	}
	if !seen.Unobservable {
		err := l.awaitInterruptedOps(ctx, awaitAll)
		if err == nil {
			inOrder, cancel := context.WithTimeoutCause(ctx, stopInOrder, fmt.Errorf("they have not stopped within %s", count.Duration(stopInOrder)))
			err = l.stopContainers(inOrder)
			cancel()
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			l.m.Events.Emit(event.Notice{Warning: true, Text: "the containers could not be stopped in order; the host is stopped all the same: " + err.Error()})
		}
	}
	l.remote.Close()
	if err := l.remote.Stop(ctx, l.m.Events); err != nil {
		return nil, err
	}
	status := l.m.remembered(l.remote.State)
	status.State = "stopped"
	return status, nil
}

// Start starts the lab's host, if that is not this machine, and its containers, and looks at the lab when everything
// is as it was. It makes no host.
func (l *Lab) Start(ctx context.Context) (Outcome, error) {
	ops := awaitAll
	if l.remote != nil {
		ops = awaitNone
	}
	release, err := l.lock(ctx, ops)
	if err != nil {
		return Outcome{}, err
	}
	defer release()
	if l.remote != nil {
		if err := l.remote.Start(ctx, l.m.Events); err != nil {
			return Outcome{}, err
		}
		l.cluster.Restarted = true // the engine has started the nodes again by itself, or will be asked to
		if err := l.awaitInterruptedOps(ctx, awaitAll); err != nil {
			return Outcome{}, err
		}
	}
	return l.converge(ctx)
}

// Extension is the result of Extend; its JSON form is that of `extend -o json`.
type Extension struct {
	Lab      string    `json:"lab"`
	Instance string    `json:"instance"`
	Expires  time.Time `json:"expires"`
	PerHour  float64   `json:"per_hour_usd,omitempty"`
	Estimate bool      `json:"estimate,omitempty"`

	Left   time.Duration `json:"-"` // until then, by AWS's clock
	Priced bool          `json:"-"` // PerHour is known
}

// Extend lets the lab's host live longer, by d from its present end or from now where that is past. The lab is Remote.
func (l *Lab) Extend(ctx context.Context, d time.Duration) (*Extension, error) {
	defer l.remote.Close()
	release, err := l.lock(ctx, awaitNone)
	if err != nil {
		return nil, err
	}
	defer release()
	until, err := l.remote.Extend(ctx, l.m.Events, d)
	if err != nil {
		return nil, err
	}
	cost := l.remote.Cost()
	return &Extension{
		Lab: l.Name(), Instance: l.remote.State.InstanceID, Expires: until, PerHour: cost.PerHour, Estimate: cost.Estimate,
		Left: until.Sub(l.remote.Client.Now(l.m.now())).Round(time.Minute), Priced: cost.Known,
	}, nil
}

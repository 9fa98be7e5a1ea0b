package ec2

import (
	"context"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
)

// Clock is the time and the waiting of a host.
type Clock struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// SystemClock is the machine's own clock.
func SystemClock() Clock {
	return Clock{Now: time.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}
}

// Timing bounds what a host waits for.
type Timing struct {
	Poll              time.Duration // the first pause between two looks; they grow to five times that
	Lag               time.Duration // for how long AWS may not show what it has just made
	Running           time.Duration // pending to running
	HostKey           time.Duration // running to the host key's arrival on the console
	Boot              time.Duration // the host key's arrival to an engine that answers
	Reach             time.Duration // of that, for how long nothing may answer at the host's address; 0: all of it
	Gone              time.Duration // terminating to terminated and the group deleted
	ConsistencyWindow time.Duration // how long nothing must be seen before it counts as nothing
}

// DefaultTiming is for AWS: an instance runs after ~15 s and shows its console after up to minutes.
func DefaultTiming() Timing {
	return Timing{
		Poll: time.Second, Lag: 5 * time.Minute, Running: 5 * time.Minute, HostKey: 5 * time.Minute,
		Boot: 10 * time.Minute, Reach: 3 * time.Minute, Gone: 10 * time.Minute, ConsistencyWindow: 5 * time.Second,
	}
}

// poll looks until check says that it is done, or the limit is over; the error then says what was
// seen last.
func (h *Host) poll(ctx context.Context, limit time.Duration, what string, check func() (done bool, saw string, err error)) error {
	began, pause := h.Clock.Now(), h.Timing.Poll
	for {
		done, saw, err := check()
		if done || err != nil {
			return err
		}
		waited := h.Clock.Now().Sub(began)
		if waited >= limit {
			return clierr.New(clierr.Failed, "waited %s for %s; last seen: %s", count.Duration(limit), what, saw)
		}
		if err := h.Clock.Sleep(ctx, min(pause, limit-waited)); err != nil {
			return err
		}
		pause = min(pause*3/2, 5*h.Timing.Poll)
	}
}

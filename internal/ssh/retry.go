package ssh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/count"
)

// Retry says how DialRetry goes on after an attempt that failed.
type Retry struct {
	// Every is the pause between attempts; 0 is 1 s.
	Every time.Duration
	// Grace is for how long a wrong host key, or a refused user or key, is put up with from its first
	// sight: a host that boots for the first time may run sshd before its keys are in place. Nothing of the
	// user's is sent to a host with a wrong key, however often it is asked. 0: not at all.
	Grace time.Duration
	// Progress is told of each attempt that failed and is followed by another one. It may be nil.
	Progress func(Attempt)
}

// Attempt is an attempt to connect that failed.
type Attempt struct {
	Number int
	Since  time.Duration // since DialRetry began
	Err    error
}

// DialRetry dials a host that boots until it answers or ctx ends; the error then says how often it was
// tried and wraps what ctx gives and what it saw last. A host key or user that is refused beyond
// retry.Grace ends it at once, with what Dial returns. Each attempt is bounded by cfg.Timeout.
func DialRetry(ctx context.Context, cfg Config, retry Retry) (*Conn, error) {
	t, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if retry.Every <= 0 {
		retry.Every = time.Second
	}
	begin := t.Now()
	var refused time.Time
	var last error
	for n := 1; ; n++ {
		c, err := t.dial(ctx)
		if err == nil {
			return c, nil
		}
		if ctx.Err() == nil || last == nil {
			last = err // what is cut short by ctx says less than the one before
		}
		if errors.Is(err, ErrHostKey) || errors.Is(err, ErrAuth) {
			if refused.IsZero() {
				refused = t.Now()
			}
			if retry.Grace <= 0 || t.Now().Sub(refused) >= retry.Grace {
				return nil, err
			}
		}
		if ctx.Err() == nil && retry.Progress != nil {
			retry.Progress(Attempt{Number: n, Since: t.Now().Sub(begin), Err: err})
		}
		pause := time.NewTimer(retry.Every)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, fmt.Errorf("waiting for SSH on %s: %s in %s: %w; last: %w", t, count.Of(n, "attempt"), count.Elapsed(t.Now().Sub(begin)), context.Cause(ctx), last)
		}
	}
}

package ec2

import (
	"fmt"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
)

const (
	// sameTime is how far two clocks that both are right may seem to be apart: an answer's Date has whole seconds
	// and takes a while to arrive.
	sameTime = 30 * time.Second
	// wrongClock is how far off this machine's clock is when people are told.
	wrongClock = 5 * time.Minute
)

// heard notes how far AWS's clock is ahead of this machine's, from the Date of an answer.
func (c *Client) heard(answer middleware.Metadata) {
	ahead, ok := awsmiddleware.GetAttemptSkew(answer)
	if !ok || ahead.Abs() < sameTime {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}

// Now turns this machine's time into AWS's, by the answer to the last Caller. What a host's expiry is compared
// with, or counted from, is AWS's time, which is the host's too: a laptop's clock may be hours off.
func (c *Client) Now(local time.Time) time.Time {
	if c == nil || c.ahead == nil {
		return local
	}
	return local.Add(time.Duration(c.ahead.Load()))
}

func (h *Host) now() time.Time { return h.Client.Now(h.Clock.Now()) }

// warnClock says so when this machine's clock is off.
func (h *Host) warnClock(sink event.Sink) {
	local := h.Clock.Now()
	if off := local.Sub(h.Client.Now(local)); off.Abs() >= wrongClock {
		sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: "this machine's clock is " + Off(off) + "; the host's time is counted by AWS's"})
	}
}

// Off words how far this machine's clock is ahead of AWS's: "3h ahead of AWS's".
func Off(ahead time.Duration) string {
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	return fmt.Sprintf("%s %s AWS's", count.Duration(ahead.Abs().Round(time.Minute)), direction)
}

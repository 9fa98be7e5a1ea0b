package ssh

import (
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/count"
)

// keepAlive ends a connection that has gone silent. It counts intervals rather than reading a clock, so
// that neither a clock that is set nor a laptop that slept makes a living connection look dead.
func (c *Conn) keepAlive() {
	k := c.target.Keepalive
	// The last byte came up to one interval before the first silent one was counted.
	most := int(k.Deadline/k.Interval) - 1
	tick := time.NewTicker(k.Interval)
	defer tick.Stop()
	answered := make(chan struct{}, 1)
	asked, silent, received := false, 0, c.wire.received.Load()
	for {
		select {
		case <-c.ended:
			return
		case <-answered:
			asked = false
			continue
		case <-tick.C:
		}
		if now := c.wire.received.Load(); now != received {
			received, silent = now, 0
			continue
		}
		if silent++; silent >= most {
			c.end(fmt.Errorf("%s: %w: nothing was heard from the host for %s", c, ErrLost, count.Duration(time.Duration(silent)*k.Interval)))
			return
		}
		if asked {
			continue
		}
		asked = true
		// Sending blocks when the network takes nothing any more; end unblocks it.
		c.watchers.Go(func() {
			c.mux.SendRequest("keepalive@openssh.com", true, nil)
			answered <- struct{}{}
		})
	}
}

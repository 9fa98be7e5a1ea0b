package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

// Unseen is a region that could not be looked at.
type Unseen struct {
	Region string
	Err    error
}

// FindEverywhere is Find in several regions at once, in the order of clients. A region that cannot be looked at
// hides nothing of the others: an account may be denied one for good.
func FindEverywhere(ctx context.Context, clients []*Client, lab, me string, now time.Time) ([]Found, []Unseen) {
	results := make([][]Found, len(clients))
	errs := make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { results[i], errs[i] = c.Find(ctx, lab, me, now) })
	}
	wg.Wait()
	var unseen []Unseen
	for i, err := range errs {
		if err != nil {
			unseen = append(unseen, Unseen{clients[i].Region, err})
		}
	}
	return slices.Concat(results...), unseen
}

// Locate is FindEverywhere for a `down` that knows nothing but the lab's name: AWS may not show yet what
// was made a moment ago, so "nothing" is believed only when it has been seen for a while. A region that
// could not be looked at once is not asked again.
func Locate(ctx context.Context, clients []*Client, lab, me string, clock Clock, timing Timing) ([]Found, []Unseen, error) {
	began := clock.Now()
	var unseen []Unseen
	for {
		all, more := FindEverywhere(ctx, clients, lab, me, clock.Now())
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		unseen = append(unseen, more...)
		clients = slices.DeleteFunc(slices.Clone(clients), func(c *Client) bool {
			return slices.ContainsFunc(more, func(u Unseen) bool { return u.Region == c.Region })
		})
		if len(all) > 0 || len(clients) == 0 || clock.Now().Sub(began) >= timing.ConsistencyWindow {
			return all, unseen, nil
		}
		if err := clock.Sleep(ctx, timing.Poll); err != nil {
			return nil, nil, err
		}
	}
}

// NotEverywhere is the error for regions that could not be looked at, out of all that were to be; nil for none. When
// none could, it is that of the first one, which stands for all. Otherwise something may be in those regions, and
// nobody can tell.
func NotEverywhere(unseen []Unseen, all int) error {
	if len(unseen) == 0 {
		return nil
	}
	first := unseen[0].Err
	if len(unseen) == all {
		return first
	}
	var names []string
	for _, u := range unseen {
		names = append(names, u.Region)
	}
	// Unwrapped: the class of what happened in one region is not that of the whole.
	return clierr.New(clierr.Inconclusive, "%s could not be looked at, and something may be there: %s", strings.Join(names, ", "), short(first)).
		WithNext("Everything else was looked at. Have the calls allowed there, or name the regions to look at with --region.")
}

// short is an error without the lines after its first.
func short(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// String names the region and why it could not be looked at.
func (u Unseen) String() string { return fmt.Sprintf("%s, since %s", u.Region, short(u.Err)) }

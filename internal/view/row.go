package view

import (
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/untrusted"
)

// row is what is known of one resource that is being worked on.
type row struct {
	addr       string
	verb       event.Verb
	began      time.Time
	expect     time.Duration
	step       string
	stepBegan  time.Time
	stepExpect time.Duration
	milestones []string
	nextBeat   time.Time // plain: when to say again that it still runs
}

// rows are the resources that are being worked on, in the order in which they began.
type rows []*row

// find returns the row of addr or nil.
func (rs rows) find(addr string) *row {
	i := slices.IndexFunc(rs, func(r *row) bool { return r.addr == addr })
	if i < 0 {
		return nil
	}
	return rs[i]
}

// take brings the rows up to date with e. Whoever emits is trusted for nothing: a step without a start
// begins a row, a start without an end begins it anew.
func (rs *rows) take(e event.Event, now time.Time) {
	switch e := e.(type) {
	case event.Started:
		*rs = append(rs.without(e.Addr), &row{addr: e.Addr, verb: e.Verb, began: now, stepBegan: now, expect: e.Expect})
	case event.Progress:
		r := rs.find(e.Addr)
		if r == nil {
			r = &row{addr: e.Addr, began: now}
			*rs = append(*rs, r)
		}
		r.step, r.stepBegan, r.stepExpect = untrusted.Line(e.Step), now, e.Expect
	case event.Milestone:
		if r := rs.find(e.Addr); r != nil {
			r.milestones = append(r.milestones, e.Name)
		}
	case event.Finished:
		*rs = rs.without(e.Addr)
	}
}

func (rs rows) without(addr string) rows {
	return slices.DeleteFunc(slices.Clone(rs), func(r *row) bool { return r.addr == addr })
}

// doing is what the row's resource is going through, in words.
func (r *row) doing() string {
	if r.step != "" {
		return r.step
	}
	return doing(r.verb)
}

func doing(v event.Verb) string {
	switch v {
	case event.Observe:
		return "looking"
	case event.Destroy:
		return "removing"
	}
	return "setting up"
}

// outcome says in words how work ended; the result's own words where it has some.
func outcome(f event.Finished) string {
	said := untrusted.Line(f.Detail)
	if why := untrusted.Line(f.Error); why != "" {
		said = strings.TrimPrefix(said+"; "+why, "; ")
	}
	word := ""
	switch f.Result {
	case event.Failed:
		word = "failed"
	case event.Skipped:
		word = "skipped"
	case event.Unchanged:
		if word = "unchanged"; f.Verb == event.Destroy {
			word = "nothing there"
		}
	default:
		if word = "done"; f.Verb == event.Destroy {
			word = "removed"
		}
	}
	if said == "" {
		return word
	}
	return word + ": " + said
}

// silent says that nothing is to be written of the end of this work: looking is not news, and what it
// found is the result, which the command prints.
func silent(f event.Finished) bool { return f.Verb == event.Observe && f.Result != event.Failed }

// progress writes "12s of ~25s", and without the second part when nobody knows how long it takes. An estimate
// that has been passed is said to be one.
func progress(since, expect time.Duration) string {
	if expect <= 0 {
		return count.Running(since)
	}
	usual := count.Running(expect.Round(time.Second))
	if since >= expect+time.Second {
		return count.Running(since) + ", longer than the usual ~" + usual
	}
	return count.Running(since) + " of ~" + usual
}

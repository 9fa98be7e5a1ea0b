package scenarios

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

const (
	// propagationDelay is how long after an edit a check waits for it to take effect before it says no: an
	// image is pulled, a pod replaced, in some seconds.
	propagationDelay = 15 * time.Second
	// checkMargin is how much longer than its parts a check may take.
	checkMargin = 15 * time.Second
)

// CheckOptions change how long Check waits.
type CheckOptions struct {
	// Wait is how long Check waits for a yes at least; 0: only for what has just been edited to
	// take effect, and for a solution to have held.
	Wait time.Duration
}

// Check answers whether a break or task is solved, or a demo shows. It changes nothing. It answers
// at once, except that a solution which has not held long enough yet is watched until it has, and
// that an edit of the last seconds is given time to take effect; it tells sink when it waits.
func (r *Resource) Check(ctx context.Context, sink event.Sink, opts CheckOptions) Result {
	sc, client, err := r.open(ctx)
	if err != nil {
		return r.unreachable("solved", err)
	}
	hold := time.Duration(0)
	if r.s.Solved != nil {
		hold = r.s.Solved.Hold
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, max(propagationDelay, opts.Wait)+2*hold+checkMargin)
	defer cancel()

	a := sc.assessNow(ctx, client)
	began := client.ServerNow()
	w := checkWait{sc: sc, until: began.Add(opts.Wait), sink: sink, said: map[string]bool{}}
	if w.next(a, began).Done {
		return r.explained(outer, a, sc.checked(a))
	}
	err = sc.follow(ctx, client, func(snapshot kube.Snapshot) kube.Decision {
		now := client.ServerNow()
		a = sc.assess(snapshot, now, nil)
		return w.next(a, now)
	})
	result := r.explained(outer, a, sc.checked(a))
	if err != nil && result.Verdict != Holds {
		result.Reason += fmt.Sprintf(" (watched for %s)", count.Running(client.ServerNow().Sub(began)))
	}
	return result
}

// checkWait decides whether an answer is final.
type checkWait struct {
	sc    *compiled
	until time.Time // the answer no is not final before
	sink  event.Sink
	said  map[string]bool
}

func (w *checkWait) next(a *assessment, now time.Time) kube.Decision {
	result := w.sc.checked(a)
	if result.Verdict == Holds || a.State == Unrecoverable {
		return kube.Decision{Done: true}
	}
	if left := a.pending(); left > 0 {
		w.say("it looks solved; watching whether it holds for %s", count.Duration(w.sc.s.Solved.Hold))
		return kube.Decision{Wake: left}
	}
	if wait := a.Touched.Add(propagationDelay).Sub(now); w.mayStillChange(a) && wait > 0 {
		w.say("waiting for the last change to take effect")
		return kube.Decision{Wake: wait}
	}
	if wait := w.until.Sub(now); wait > 0 {
		w.say("waiting until it is solved, for %s at most", count.Running(wait.Round(time.Second)))
		return kube.Decision{Wake: wait}
	}
	return kube.Decision{Done: true}
}

// mayStillChange reports whether time alone may turn no into yes. It cannot where nobody has changed what
// was seeded, nor where a guard fails: guards look at what is asked for.
func (w *checkWait) mayStillChange(a *assessment) bool {
	if !a.Edited && a.State != Changed && a.State != Unknown && a.State != Open {
		return false
	}
	for _, f := range a.Solved {
		if f.Role == "guard" && f.Verdict == DoesNotHold && len(f.Objects) > 0 {
			return false
		}
	}
	return true
}

func (w *checkWait) say(format string, args ...any) {
	if !w.said[format] {
		w.said[format] = true
		text := fmt.Sprintf(format, args...)
		w.sink.Emit(event.Progress{Addr: "scenario." + w.sc.s.Name, Step: text})
	}
}

// Verify answers whether the scenario is as declared: broken (a demo: shown, a task: open) or
// solved. It looks once and changes nothing.
func (r *Resource) Verify(ctx context.Context) Result {
	sc, client, err := r.open(ctx)
	if err != nil {
		return r.unreachable("as-declared", err)
	}
	a := sc.assessNow(ctx, client)
	return r.explained(ctx, a, sc.verified(a))
}

// Follow gives each the answer of Verify now and whenever something has changed, until each returns
// true (then Follow returns nil) or ctx ends. each is called by one goroutine.
func (r *Resource) Follow(ctx context.Context, each func(Result) bool) error {
	sc, client, err := r.open(ctx)
	if err != nil {
		return err
	}
	return sc.follow(ctx, client, func(snapshot kube.Snapshot) kube.Decision {
		a := sc.assess(snapshot, client.ServerNow(), nil)
		return kube.Decision{Done: each(sc.verified(a)), Wake: a.pending()}
	})
}

// unreachable is the result when there is no client to ask with.
func (r *Resource) unreachable(question string, err error) Result {
	result := Result{
		Scenario: r.s.Name, Kind: r.s.Kind, Title: r.s.Title, Summary: r.s.Summary, Question: question, State: Unknown,
		Answer: provision.Answer{Verdict: CannotTell, Reason: err.Error(), Next: clierr.NextOf(err)},
	}
	if errors.Is(err, kube.ErrNoCluster) {
		result.State = Pristine
		result.Answer = provision.Answer{Verdict: DoesNotHold, Reason: err.Error(), Next: "Run `labctl up` first."}
	}
	return result
}

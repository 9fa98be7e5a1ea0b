package provision

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// fake is a resource that keeps a log which it shares with others.
type fake struct {
	addr      string
	needs     []Need
	seen      Observation
	seenErr   error
	preflight error
	apply     func(context.Context, event.Sink) error
	destroy   error
	log       *log
}

type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, s)
}

func (f *fake) Addr() string  { return f.addr }
func (f *fake) Needs() []Need { return f.needs }
func (f *fake) Observe(context.Context) (Observation, error) {
	f.log.add("observe " + f.addr)
	return f.seen, f.seenErr
}
func (f *fake) Preflight(context.Context) error {
	f.log.add("preflight " + f.addr)
	return f.preflight
}
func (f *fake) Apply(ctx context.Context, sink event.Sink) error {
	f.log.add("apply " + f.addr)
	if f.apply != nil {
		return f.apply(ctx, sink)
	}
	return nil
}
func (f *fake) Destroy(context.Context, event.Sink) error {
	f.log.add("destroy " + f.addr)
	return f.destroy
}

func absent(l *log, addr string, needs ...Need) *fake {
	return &fake{addr: addr, needs: needs, seen: Observation{State: Absent}, log: l}
}

func graph(t *testing.T, resources ...Resource) *Graph {
	t.Helper()
	g, err := NewGraph(resources...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// before checks the order of two lines of the log.
func before(t *testing.T, l *log, first, second string) {
	t.Helper()
	i, j := slices.Index(l.lines, first), slices.Index(l.lines, second)
	if i < 0 || j < 0 || i > j {
		t.Errorf("%q does not come before %q in %q", first, second, l.lines)
	}
}

func TestNewGraphRefusesWhatCannotBeOrdered(t *testing.T) {
	l := &log{}
	a, b := absent(l, "a"), absent(l, "b")
	a.needs, b.needs = []Need{{Resource: b}}, []Need{{Resource: a}}
	for name, resources := range map[string][]Resource{
		"a -> b -> a":         {a, b},
		"have the address a":  {absent(l, "a"), absent(l, "a")},
		"is not in the graph": {absent(l, "c", Need{Resource: absent(l, "d")})},
	} {
		if _, err := NewGraph(resources...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error with %q", err, name)
		}
	}
}

func TestApplyStartsADependantAtItsMilestone(t *testing.T) {
	l := &log{}
	cluster := absent(l, "cluster")
	seeded := make(chan struct{})
	cluster.apply = func(ctx context.Context, sink event.Sink) error {
		sink.Emit(event.Milestone{Addr: "cluster", Name: MilestoneAPI})
		select {
		case <-seeded: // the scenario ran while we still do
			return nil
		case <-t.Context().Done():
			return errors.New("the dependant did not start")
		}
	}
	scenario := absent(l, "scenario", Need{Resource: cluster, Milestone: MilestoneAPI})
	scenario.apply = func(context.Context, event.Sink) error { close(seeded); return nil }
	if err := graph(t, scenario, cluster).Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	before(t, l, "apply cluster", "apply scenario")
}

func TestApplyLeavesAloneWhatIsCurrent(t *testing.T) {
	l := &log{}
	a := absent(l, "a")
	a.seen.State = Current
	b := absent(l, "b", Need{Resource: a, Milestone: "any"})
	b.seen.State = Current
	events := &event.Recorder{}
	if err := graph(t, a, b).Apply(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(l.lines, func(s string) bool { return !strings.HasPrefix(s, "observe") }) {
		t.Errorf("something was done: %q", l.lines)
	}
	if got, want := results(events), map[string]event.Result{"a": event.Unchanged, "b": event.Unchanged}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAllRefusalsComeBeforeTheFirstAct(t *testing.T) {
	l := &log{}
	a := absent(l, "a")
	b := absent(l, "b", Need{Resource: a})
	a.preflight = clierr.New(clierr.Refused, "no room")
	b.preflight = clierr.New(clierr.Refused, "port taken")
	err := graph(t, a, b).Apply(t.Context(), event.Discard)
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "port taken") {
		t.Errorf("got %v, want both refusals", err)
	}
	if slices.Contains(l.lines, "apply a") || slices.Contains(l.lines, "apply b") {
		t.Errorf("something was done: %q", l.lines)
	}
}

// results returns how Apply ended for each resource, by its address.
func results(events *event.Recorder) map[string]event.Result {
	all := map[string]event.Result{}
	for _, f := range event.Of[event.Finished](events) {
		all[f.Addr] = f.Result
	}
	return all
}

func TestAFailureStopsWhatNeedsItAndNothingElse(t *testing.T) {
	l := &log{}
	broken, alsoBroken := errors.New("broken"), errors.New("also broken")
	base := absent(l, "base")
	leaf := absent(l, "leaf", Need{Resource: base})
	leaf.apply = func(context.Context, event.Sink) error { return broken }
	above := absent(l, "above", Need{Resource: leaf})
	top := absent(l, "top", Need{Resource: above})
	failed := make(chan struct{})
	events := &event.Recorder{}
	sink := event.SinkFunc(func(e event.Event) {
		events.Emit(e)
		if f, ok := e.(event.Finished); ok && f.Addr == "leaf" {
			close(failed)
		}
	})
	sibling := absent(l, "sibling", Need{Resource: base})
	sibling.apply = func(ctx context.Context, _ event.Sink) error { <-failed; return ctx.Err() }
	other := absent(l, "other")
	other.apply = func(context.Context, event.Sink) error { return alsoBroken }
	err := graph(t, base, leaf, above, top, sibling, other).Apply(t.Context(), sink)
	if !errors.Is(err, broken) || !errors.Is(err, alsoBroken) || !strings.Contains(err.Error(), "leaf: broken") || !strings.Contains(err.Error(), "other: also broken") {
		t.Errorf("got %v, want both failures with their addresses", err)
	}
	want := map[string]event.Result{"base": event.Done, "leaf": event.Failed, "above": event.Skipped, "top": event.Skipped, "sibling": event.Done, "other": event.Failed}
	if got := results(events); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if slices.Contains(l.lines, "apply above") || slices.Contains(l.lines, "apply top") {
		t.Errorf("what needed the failed one was applied: %q", l.lines)
	}
}

// What runs on a resource that fails after its milestone is ended, and not told as a failure of its own.
func TestAFailureEndsWhatRunsOnIt(t *testing.T) {
	l := &log{}
	cluster := absent(l, "cluster")
	scenario := absent(l, "scenario", Need{Resource: cluster, Milestone: MilestoneAPI})
	begun := make(chan struct{})
	cluster.apply = func(_ context.Context, sink event.Sink) error {
		sink.Emit(event.Milestone{Addr: "cluster", Name: MilestoneAPI})
		<-begun
		return errors.New("a node does not come")
	}
	scenario.apply = func(ctx context.Context, _ event.Sink) error {
		close(begun)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	events := &event.Recorder{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := graph(t, cluster, scenario).Apply(ctx, events)
	if err == nil || err.Error() != "cluster: a node does not come" {
		t.Errorf("got %v, want the cluster's failure alone", err)
	}
	if got := results(events)["scenario"]; got != event.Skipped {
		t.Errorf("the scenario is %s", got)
	}
}

// An image that the mirror holds stays there, whatever becomes of the others.
func TestAFailureLeavesAloneWhoNeedsALastingMilestone(t *testing.T) {
	synctest.Test(t, testLastingMilestone)
}

func testLastingMilestone(t *testing.T) {
	l := &log{}
	mirror := absent(l, "mirror")
	served := absent(l, "served", Need{Resource: mirror, Milestone: "image:a", Lasting: true})
	starved := absent(l, "starved", Need{Resource: mirror, Milestone: "image:b", Lasting: true})
	ended := make(chan struct{})
	events := &event.Recorder{}
	sink := event.SinkFunc(func(e event.Event) {
		events.Emit(e)
		if f, ok := e.(event.Finished); ok && f.Addr == "mirror" {
			close(ended)
		}
	})
	mirror.apply = func(_ context.Context, sink event.Sink) error {
		sink.Emit(event.Milestone{Addr: "mirror", Name: "image:a"})
		return errors.New("there is no image b")
	}
	served.apply = func(ctx context.Context, _ event.Sink) error {
		<-ended
		synctest.Wait() // until whoever would end this has done so
		return ctx.Err()
	}
	err := graph(t, mirror, served, starved).Apply(t.Context(), sink)
	if err == nil || err.Error() != "mirror: there is no image b" {
		t.Errorf("got %v, want the mirror's failure alone", err)
	}
	want := map[string]event.Result{"mirror": event.Failed, "served": event.Done, "starved": event.Skipped}
	if got := results(events); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatCannotBeObservedStopsItselfAlone(t *testing.T) {
	l := &log{}
	base := absent(l, "base")
	blind := absent(l, "blind", Need{Resource: base})
	base.seen.State = Current
	blind.seenErr = clierr.New(clierr.Inconclusive, "no answer")
	behind := absent(l, "behind", Need{Resource: blind})
	sibling := absent(l, "sibling", Need{Resource: base})
	events := &event.Recorder{}
	err := graph(t, base, blind, behind, sibling).Apply(t.Context(), events)
	if clierr.ClassOf(err) != clierr.Inconclusive || err.Error() != "blind: no answer" {
		t.Errorf("got %v, want the one that could not be observed", err)
	}
	want := map[string]event.Result{"base": event.Unchanged, "blind": event.Failed, "behind": event.Skipped, "sibling": event.Done}
	if got := results(events); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNothingIsBegunWhereNothingCouldBe(t *testing.T) {
	l := &log{}
	base, leaf := absent(l, "base"), absent(l, "leaf")
	base.seen.State, leaf.preflight = Current, clierr.New(clierr.Refused, "no room")
	if plan, err := graph(t, base, leaf).Plan(t.Context()); plan != nil || err == nil || err.Error() != "leaf: no room" {
		t.Errorf("got %v, %v", plan, err)
	}
}

// A refusal about what others stand on stops everything before the first act, one about a leaf stops the leaf.
func TestARefusalStopsAsMuchAsItMust(t *testing.T) {
	for _, how := range []string{"observing", "preflight"} {
		for addr, want := range map[string][]string{"base": nil, "leaf": {"apply base", "apply sibling"}} {
			l := &log{}
			base := absent(l, "base")
			leaf := absent(l, "leaf", Need{Resource: base})
			sibling := absent(l, "sibling", Need{Resource: base})
			base.seen.State, leaf.seen.State = Partial, Partial
			refusing := map[string]*fake{"base": base, "leaf": leaf}[addr]
			no := clierr.New(clierr.Refused, "it is somebody else's")
			if how == "observing" {
				refusing.seenErr = no
			} else {
				refusing.preflight = no
			}
			err := graph(t, base, leaf, sibling).Apply(t.Context(), event.Discard)
			if clierr.ClassOf(err) != clierr.Refused || err.Error() != addr+": it is somebody else's" {
				t.Errorf("%s of %s: got %v", how, addr, err)
			}
			done := slices.DeleteFunc(slices.Clone(l.lines), func(s string) bool { return !strings.HasPrefix(s, "apply") })
			slices.Sort(done)
			if !slices.Equal(done, want) {
				t.Errorf("%s of %s: %q was done, want %q", how, addr, done, want)
			}
		}
	}
}

func TestAnInterruptionStopsAllAndIsTheError(t *testing.T) {
	l := &log{}
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	a := absent(l, "a")
	a.apply = func(ctx context.Context, _ event.Sink) error { cancel(stop); <-ctx.Done(); return context.Cause(ctx) }
	b := absent(l, "b")
	b.apply = func(ctx context.Context, _ event.Sink) error {
		<-ctx.Done()
		return errors.New("the command was killed")
	}
	c := absent(l, "c", Need{Resource: a})
	if err := graph(t, a, b, c).Apply(ctx, event.Discard); err != stop {
		t.Errorf("got %v", err)
	}
	if slices.Contains(l.lines, "apply c") {
		t.Errorf("it went on: %q", l.lines)
	}
}

func TestWhatIsBehindAChangeIsAppliedAgain(t *testing.T) {
	l := &log{}
	cluster := absent(l, "cluster")
	cluster.seen.State = Partial
	scenario := absent(l, "scenario", Need{Resource: cluster})
	scenario.seen.State = Current // seen in a cluster that is about to change
	if err := graph(t, cluster, scenario).Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	before(t, l, "apply cluster", "apply scenario")
}

func TestObserveDoesNotAskBehindWhatIsAbsent(t *testing.T) {
	l := &log{}
	engine := absent(l, "engine")
	cluster := absent(l, "cluster", Need{Resource: engine})
	all := graph(t, engine, cluster).Observe(t.Context())
	if slices.Contains(l.lines, "observe cluster") || all[1].State != Absent {
		t.Errorf("the cluster is %q after %q", all[1].State, l.lines)
	}
	engine.seenErr = clierr.New(clierr.Inconclusive, "does not answer")
	all = graph(t, engine, cluster).Observe(t.Context())
	if clierr.ClassOf(all[1].Err) != clierr.Inconclusive {
		t.Errorf("the cluster behind an engine that does not answer: %v", all[1].Err)
	}
}

func TestDestroyGoesBackwardsAndPastFailures(t *testing.T) {
	l := &log{}
	a := absent(l, "a")
	b := absent(l, "b", Need{Resource: a})
	c := absent(l, "c", Need{Resource: b})
	b.destroy, c.destroy = errors.New("b stays"), errors.New("c stays")
	err := graph(t, a, b, c).Destroy(t.Context(), event.Discard)
	before(t, l, "destroy c", "destroy b")
	before(t, l, "destroy b", "destroy a")
	if err == nil || !strings.Contains(err.Error(), "b stays") || !strings.Contains(err.Error(), "c stays") {
		t.Errorf("got %v, want both failures", err)
	}
}

// TestDark: what is on a host that cannot be looked into is neither asked nor preflighted before the
// host is applied, and is then.
func TestDark(t *testing.T) {
	for _, state := range []State{Absent, Partial, Drifted} {
		l := &log{}
		host := &fake{addr: "host", seen: Observation{State: state, Unobservable: true}, log: l}
		engine := &fake{addr: "engine", needs: []Need{{Resource: host}}, seenErr: errors.New("no connection"), log: l}
		cluster := &fake{addr: "cluster", needs: []Need{{Resource: engine}}, seenErr: errors.New("no connection"), log: l}
		g := graph(t, host, engine, cluster)
		seen := g.Observe(t.Context())
		if len(seen) != 3 {
			t.Fatalf("host %s: observed %v", state, seen)
		}
		for _, o := range seen[1:] {
			if !o.Unobservable || o.Err != nil || o.State == Current || !strings.Contains(o.Reason, "host") && !strings.Contains(o.Reason, "engine") {
				t.Errorf("host %s: %s is %+v, %v", state, o.Resource.Addr(), o.Observation, o.Err)
			}
		}
		if err := g.Apply(t.Context(), event.Discard); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(l.lines, "observe engine") || slices.Contains(l.lines, "observe cluster") {
			t.Errorf("host %s: what is on it was asked: %q", state, l.lines)
		}
		before(t, l, "preflight host", "apply host")
		before(t, l, "apply host", "preflight cluster")
		before(t, l, "preflight cluster", "apply cluster")

		cluster.preflight = clierr.New(clierr.Refused, "no room")
		l.lines = nil
		if err := g.Apply(t.Context(), event.Discard); clierr.ClassOf(err) != clierr.Refused || slices.Contains(l.lines, "apply cluster") {
			t.Errorf("host %s: a refusal that comes late: %v, %q", state, err, l.lines)
		}
	}
}

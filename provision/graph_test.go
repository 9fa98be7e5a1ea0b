package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/fault"
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
	for _, f := range event.Of[event.Finished](events) {
		if f.Result != event.Unchanged {
			t.Errorf("%s is %s", f.Addr, f.Result)
		}
	}
}

func TestARefusalComesBeforeTheFirstAct(t *testing.T) {
	l := &log{}
	a := absent(l, "a")
	b := absent(l, "b")
	a.preflight = fault.New(fault.Refused, "no room")
	b.preflight = fault.New(fault.Refused, "port taken")
	err := graph(t, a, b).Apply(t.Context(), event.Discard)
	if fault.ClassOf(err) != fault.Refused || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "port taken") {
		t.Errorf("got %v, want both refusals", err)
	}
	if slices.Contains(l.lines, "apply a") || slices.Contains(l.lines, "apply b") {
		t.Errorf("something was done: %q", l.lines)
	}
}

func TestTheFirstFailureStopsTheRest(t *testing.T) {
	l := &log{}
	broken := errors.New("broken")
	a := absent(l, "a")
	a.apply = func(context.Context, event.Sink) error { return broken }
	b := absent(l, "b")
	b.apply = func(ctx context.Context, _ event.Sink) error { <-ctx.Done(); return context.Cause(ctx) }
	c := absent(l, "c", Need{Resource: a})
	events := &event.Recorder{}
	err := graph(t, a, b, c).Apply(t.Context(), events)
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "a: ") {
		t.Errorf("got %v, want the first failure with its address", err)
	}
	if slices.Contains(l.lines, "apply c") {
		t.Error("what needed the failed one was applied")
	}
	for _, f := range event.Of[event.Finished](events) {
		if f.Addr == "c" && f.Result != event.Skipped {
			t.Errorf("c is %s", f.Result)
		}
	}
}

func TestAnInterruptionIsTheError(t *testing.T) {
	l := &log{}
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	a := absent(l, "a")
	a.apply = func(ctx context.Context, _ event.Sink) error { cancel(stop); <-ctx.Done(); return context.Cause(ctx) }
	if err := graph(t, a).Apply(ctx, event.Discard); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
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
	engine.seenErr = fault.New(fault.Unknown, "does not answer")
	all = graph(t, engine, cluster).Observe(t.Context())
	if fault.ClassOf(all[1].Err) != fault.Unknown {
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
		host := &fake{addr: "host", seen: Observation{State: state, Dark: true}, log: l}
		engine := &fake{addr: "engine", needs: []Need{{Resource: host}}, seenErr: errors.New("no connection"), log: l}
		cluster := &fake{addr: "cluster", needs: []Need{{Resource: engine}}, seenErr: errors.New("no connection"), log: l}
		g := graph(t, host, engine, cluster)
		for _, o := range g.Observe(t.Context())[1:] {
			if !o.Dark || o.Err != nil || o.State == Current || !strings.Contains(o.Reason, "host") && !strings.Contains(o.Reason, "engine") {
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

		cluster.preflight = fault.New(fault.Refused, "no room")
		l.lines = nil
		if err := g.Apply(t.Context(), event.Discard); fault.ClassOf(err) != fault.Refused || slices.Contains(l.lines, "apply cluster") {
			t.Errorf("host %s: a refusal that comes late: %v, %q", state, err, l.lines)
		}
	}
}

package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// propagationDelay is how long after an edit a check waits for it to take effect before it says no: an
	// image is pulled, a pod replaced, in some seconds.
	propagationDelay = 15 * time.Second
	// checkMargin is how much longer than its parts a check may take.
	checkMargin = 15 * time.Second
	// settleTime is how long nothing may have happened to what the conditions ask about until an edit has taken effect:
	// the controllers act on one at once, and times in the cluster have whole seconds.
	settleTime = 4 * time.Second
)

// CheckOptions change how long Check waits.
type CheckOptions struct {
	// Wait is how long Check waits for a yes at least; 0: only for what has just been edited to
	// take effect, and for a solution to have held.
	Wait time.Duration
	// Settle ends the waiting as soon as nothing more is going on in what the scenario's conditions ask about.
	Settle bool
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
		hold = r.s.Solved.StableFor
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, max(propagationDelay, opts.Wait)+2*hold+checkMargin+sc.probingTime())
	defer cancel()

	since := streaks{}
	a := sc.assessProbed(ctx, client, since, nil)
	began := client.ServerNow()
	w := checkWait{sc: sc, until: began.Add(opts.Wait), sink: sink, said: map[string]bool{}}
	if opts.Settle {
		w.settled = began.Add(settleTime)
	}
	if w.next(a, began).Done {
		return r.explained(outer, a, sc.checked(a))
	}
	err = sc.followProbed(ctx, client, since, func(next *assessment, now time.Time) kube.Decision {
		a = next
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
	// settled, where not zero, is from when on the answer no is final before that if nothing more is going on.
	settled time.Time
	sink    event.Sink
	said    map[string]bool
}

func (w *checkWait) next(a *assessment, now time.Time) kube.Decision {
	result := w.sc.checked(a)
	if result.Verdict == Holds || a.State == OriginalGone {
		return kube.Decision{Done: true}
	}
	if left := a.pending(); left > 0 {
		w.say("it looks solved; watching whether it holds for %s", count.Duration(w.sc.s.Solved.StableFor))
		return kube.Decision{Wake: left}
	}
	rest, moving := a.rest()
	if wait := a.Touched.Add(propagationDelay).Sub(now); w.mayStillChange(a) && wait > 0 && (moving || rest.After(now)) {
		w.say("waiting for the last change to take effect")
		if !moving {
			wait = min(wait, rest.Sub(now))
		}
		return kube.Decision{Wake: wait}
	}
	wait := w.until.Sub(now)
	if !w.settled.IsZero() && !moving {
		wait = min(wait, later(w.settled, rest).Sub(now))
	}
	if wait > 0 {
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
// solved. It looks once and changes nothing; where probes say that it is solved, it watches whether that holds.
func (r *Resource) Verify(ctx context.Context) Result {
	sc, client, err := r.open(ctx)
	if err != nil {
		return r.unreachable("as-declared", err)
	}
	a := r.look(ctx, sc, client)
	return r.explained(ctx, a, sc.verified(a))
}

// Follow gives each the answer of Verify now and whenever something has changed, until each returns
// true (then Follow returns nil) or ctx ends. each is called by one goroutine.
func (r *Resource) Follow(ctx context.Context, each func(Result) bool) error {
	sc, client, err := r.open(ctx)
	if err != nil {
		return err
	}
	return sc.followProbed(ctx, client, streaks{}, func(a *assessment, _ time.Time) kube.Decision {
		return kube.Decision{Done: each(sc.verified(a)), Wake: a.pending()}
	})
}

// unreachable is the result when there is no client to ask with.
func (r *Resource) unreachable(question string, err error) Result {
	result := Result{
		Scenario: r.s.Name, Type: r.s.Type, Title: r.s.Title, Summary: r.s.Summary, Question: question, State: Unknown,
		Answer: provision.Answer{Verdict: Inconclusive, Reason: err.Error(), Next: clierr.NextOf(err)},
	}
	if errors.Is(err, kube.ErrNoCluster) {
		result.State = Pristine
		result.Answer = provision.Answer{Verdict: DoesNotHold, Reason: err.Error(), Next: "Run `labctl up` first."}
	}
	return result
}

// compiled is what does not change about a scenario in a lab: the definition and what follows from
// it.
type compiled struct {
	lab string
	// cluster is where it is; commands are run on its nodes.
	cluster Cluster
	s       *labfile.Scenario
	objs    []*unstructured.Unstructured // rendered, to be seeded, in the order in which they are made
	first   []*unstructured.Unstructured // of them those before the first step
	steps   []step
	// names are the objects as expressions call them.
	names map[string]*unstructured.Unstructured
	base  *hcl.EvalContext // input, seed, functions
}

func compile(lab string, s *labfile.Scenario) (*compiled, error) {
	first, steps, err := render(s)
	if err != nil {
		return nil, err
	}
	sortForSeeding(first)
	objs := slices.Clone(first)
	for _, s := range steps {
		sortForSeeding(s.objs)
		objs = append(objs, s.objs...)
	}
	seed, names := map[string]cty.Value{}, callNames(objs)
	for name, o := range names {
		seed[name] = toValue(o.Object)
	}
	input := map[string]cty.Value{}
	for _, in := range s.Inputs {
		input[in.Name] = in.Default
	}
	for name, v := range s.Input {
		input[name] = v
	}
	return &compiled{lab: lab, s: s, objs: objs, first: first, steps: steps, names: names, base: &hcl.EvalContext{
		Variables: map[string]cty.Value{"input": cty.ObjectVal(input), "seed": cty.ObjectVal(seed)},
		Functions: labfile.Functions(),
	}}, nil
}

func (sc *compiled) marks() kube.Ownership { return kube.Ownership{Lab: sc.lab, Scenario: sc.s.Name} }

// seedQuery finds the object that stands where a seeded one should.
func seedQuery(obj *unstructured.Unstructured) kube.Query {
	ns := obj.GetNamespace()
	if ns == "" {
		ns = "default"
	}
	return kube.Query{Kind: kube.QualifiedKind(obj), Namespace: ns, Name: obj.GetName()}
}

var nodesQuery = kube.Query{Kind: "Node"}

// conditions are those of symptom, solved, guards and hints.
func (sc *compiled) conditions() []*labfile.Condition {
	cs := slices.Concat(sc.s.Symptom, sc.solving())
	for _, h := range sc.s.Hints {
		if h.When != nil {
			cs = append(cs, h.When)
		}
	}
	return cs
}

// solving are the conditions and guards of solved.
func (sc *compiled) solving() []*labfile.Condition {
	if sc.s.Solved == nil {
		return nil
	}
	return slices.Concat(sc.s.Solved.Conditions, sc.s.Solved.Guards)
}

// needsUID reports whether solving asks for the very object that was seeded.
func (sc *compiled) needsUID(obj *unstructured.Unstructured) bool {
	for _, c := range sc.solving() {
		for _, t := range c.Holds.Variables() {
			if len(t) < 3 || t.RootName() != "seeded" {
				continue
			}
			index, is := t[1].(hcl.TraverseIndex)
			attr, has := t[2].(hcl.TraverseAttr)
			if is && has && index.Key.Type() == cty.String && sc.names[index.Key.AsString()] == obj && attr.Name == "uid" {
				return true
			}
		}
	}
	return false
}

// Hollow returns what is wrong with the conditions of the scenario that can be told without a cluster: one that holds
// on an object which is empty but for its name proves nothing about a real one.
func (r *Resource) Hollow() ([]string, error) {
	sc, err := compile(r.lab, r.s)
	if err != nil {
		return nil, err
	}
	return sc.hollow(), nil
}

func (sc *compiled) hollow() []string {
	var all []string
	for _, c := range sc.judged() {
		switch {
		case c.None:
			continue // that nothing is there is what it asks for
		case len(c.Probes) > 0:
			all = append(all, sc.hollowProbe(c)...)
			continue
		case len(c.Live) > 0:
			continue // what it compares with is not there to be empty
		}
		if f := sc.findIn(c, emptyObject(c)); f.Verdict != DoesNotHold || f.Reason == "" {
			all = append(all, fmt.Sprintf("condition %s %s on an object that is empty but for its name, so it proves nothing: let it ask for a field that a real one has", c.Name, f.Verdict))
		}
	}
	return all
}

// emptyObject is one of the kind that a condition asks about, empty but for its name.
func emptyObject(c *labfile.Condition) map[string]any {
	return map[string]any{"kind": sourceOf(c).query().Kind, "metadata": map[string]any{"name": "x", "uid": "u"}}
}

// findIn answers a condition as if the object were the only one that it speaks of.
func (sc *compiled) findIn(c *labfile.Condition, object map[string]any) Finding {
	a := &assessment{learned: sightings{}}
	snapshot := kube.Snapshot{
		sourceOf(c).query(): {Synced: true, Objects: []*unstructured.Unstructured{{Object: object}}},
		nodesQuery:          {Synced: true},
	}
	return sc.evaluator(snapshot, a, true).find("condition", c)
}

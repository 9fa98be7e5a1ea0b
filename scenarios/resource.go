package scenarios

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// Cluster is what a scenario needs of the cluster that it is seeded in.
type Cluster interface {
	// Client returns a client of the cluster's API server. An error that wraps kube.ErrNoCluster
	// says that there is no cluster, and so nothing of the scenario.
	Client(context.Context) (*kube.Client, error)
}

// The defaults of a Resource's waits.
const (
	proveWithin   = 5 * time.Minute // nodes may still be joining when seeding begins
	destroyWithin = 2 * time.Minute
)

// Resource is a scenario of a lab.
type Resource struct {
	// ProveWithin is how long Apply waits for the symptom; 0: 5 minutes.
	ProveWithin time.Duration
	// Probe has Observe and Verify run the scenario's probes. Without it they say what was proven last, and how long ago.
	Probe bool
	// Shared, where set, is the look at the cluster in which Observe and Verify take part, with other scenarios.
	Shared *kube.Shared

	lab     string
	s       *labfile.Scenario
	cluster Cluster
	needs   []provision.Need

	once     sync.Once
	compiled *compiled
	err      error

	mu      sync.Mutex
	summary string
}

var _ provision.Resource = (*Resource)(nil)

// NewResource returns the scenario s of a lab. needs are what must have been reached before it is
// seeded: the cluster's API, and the images in the mirror.
func NewResource(lab string, s *labfile.Scenario, cluster Cluster, needs []provision.Need) *Resource {
	return &Resource{lab: lab, s: s, cluster: cluster, needs: needs}
}

// Addr returns "scenario.NAME".
func (r *Resource) Addr() string { return "scenario." + r.s.Name }

// Needs returns what was given to NewResource.
func (r *Resource) Needs() []provision.Need { return r.needs }

// Scenario returns what the lab declares.
func (r *Resource) Scenario() *labfile.Scenario { return r.s }

// Summary says what the last Apply or Observe came to: "symptom proven: the image is not found".
func (r *Resource) Summary() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.summary
}

func (r *Resource) sum(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary = fmt.Sprintf(format, args...)
}

// open returns the compiled scenario and a client.
func (r *Resource) open(ctx context.Context) (*compiled, *kube.Client, error) {
	r.once.Do(func() {
		if r.compiled, r.err = compile(r.lab, r.s); r.err == nil {
			r.compiled.cluster = r.cluster
		}
	})
	if r.err != nil {
		return nil, nil, r.err
	}
	client, err := r.cluster.Client(ctx)
	if err != nil {
		return nil, nil, err
	}
	return r.compiled, client, nil
}

// Apply seeds a pristine scenario, goes on with a seeding that was cut short, and returns when it
// has seen the symptom. It leaves alone whatever the learner has made of it.
func (r *Resource) Apply(ctx context.Context, sink event.Sink) error {
	sc, client, err := r.open(ctx)
	if err != nil {
		return err
	}
	within := r.ProveWithin
	if within == 0 {
		within = proveWithin
	}
	wait, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	a, err := sc.assessAnswered(wait, client)
	if err != nil {
		return err
	}
	if a.record != nil && a.record.Removing {
		// A reset that was cut short: its other half is to seed again.
		if err := r.Destroy(wait, sink); err != nil {
			return err
		}
		if a, err = sc.assessAnswered(wait, client); err != nil {
			return err
		}
	}
	switch {
	case a.State == Pristine, a.State == Seeding:
		if a.Foreign != nil {
			return kube.Foreign(a.Foreign, sc.marks())
		}
		switch {
		case a.record == nil || !a.record.Complete:
			sink.Emit(event.Progress{Addr: r.Addr(), Step: "seeding"})
			if err := sc.seed(wait, client, a, sink); err != nil {
				return err
			}
		case a.record.Proven == nil && r.s.TakesAPI():
			// It is recorded as complete before its last act.
			if err := sc.act(wait, r.s.NodeActions()); err != nil {
				return err
			}
		}
		if r.s.Type == labfile.Task {
			if a, err = sc.assessAnswered(wait, client); err == nil {
				r.sum("%s", sc.verified(a).Reason)
			}
			return err
		}
	case sc.unbegun(a):
		if err := sc.begin(wait, client, a); err != nil {
			return err
		}
		r.sum("%s", sc.verified(a).Reason)
		return nil
	case a.record != nil && a.record.Proven == nil && (a.State == Broken || a.State == Shown):
		// Seen, but not recorded: an earlier run was cut short.
	default:
		r.sum("left as it is: %s", sc.verified(a).Reason)
		return nil
	}
	said, err := sc.prove(wait, client, sink)
	if err != nil {
		if ctx.Err() == nil && wait.Err() != nil {
			return clierr.New(clierr.ClassOf(err), "proving the symptom of %s: not seen within %s: %w", r.s.Name, count.Duration(within), err)
		}
		return err
	}
	r.sum("symptom proven: %s", said)
	if r.s.Type == labfile.Demo {
		r.sum("proven: %s", said)
	}
	return nil
}

// Hints are what may help now.
type Hints struct {
	// Seeded is when the scenario was seeded, by the API server's clock; zero for a task. A reset makes it
	// another one, so that what is remembered of hints shown before is void.
	Seeded time.Time
	// Texts are the hints that apply, in the definition's order: those without a condition, and those
	// whose condition holds.
	Texts []string
}

// Hints looks which hints apply now.
func (r *Resource) Hints(ctx context.Context) (Hints, error) {
	sc, client, err := r.open(ctx)
	if err != nil {
		return Hints{}, err
	}
	a := sc.assessNow(ctx, client)
	if a.trouble != nil {
		err := r.explain(ctx, a.trouble)
		if clierr.ClassOf(err) == clierr.Failed {
			err = clierr.New(clierr.Inconclusive, "%w", err) // the API server refuses, or says what means nothing
		}
		return Hints{}, err
	}
	var hints Hints
	if a.record != nil {
		hints.Seeded = a.record.Begun
	}
	for _, h := range r.s.Hints {
		if h.When == nil || a.evaluator.find("hint", h.When).Verdict == Holds {
			hints.Texts = append(hints.Texts, h.Text)
		}
	}
	return hints, nil
}

package scenarios

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// source is where a condition takes its evidence from. Evidence is objects, each of which the condition's expressions call
// self: the cluster's own, or such as a source makes of what it finds out, created when that came to be so.
type source interface {
	// query is the place of the evidence in a kube.Snapshot.
	query() kube.Query
	// read gets it. An error says why it cannot be told.
	read(context.Context, *kube.Client) ([]*unstructured.Unstructured, error)
	// String names it for a person: "pod/imagepull".
	String() string
}

// sourceOf returns the source of a condition's evidence. There is one for each type that labfile.Condition.Evidence can have.
func sourceOf(c *labfile.Condition) source {
	switch evidence := c.Evidence.(type) {
	case labfile.Objects:
		return objects(evidence)
	case labfile.Access:
		return access(evidence)
	case labfile.Attempt:
		return attempt(evidence)
	case labfile.Answer:
		return answer(evidence)
	}
	panic(fmt.Sprintf("%s: there is no source of evidence for a %T", c.Range, c.Evidence))
}

// objects are those of the cluster. They alone are watched.
type objects kube.Query

func (o objects) query() kube.Query { return kube.Query(o) }

func (o objects) read(ctx context.Context, c *kube.Client) ([]*unstructured.Unstructured, error) {
	return c.List(ctx, kube.Query(o))
}

func (o objects) String() string {
	if o.Name != "" {
		return kube.Ref(o.Kind, o.Name)
	}
	return strings.ToLower(o.Kind) + " with " + o.Selector
}

// sources are all that has to be seen to say where the scenario stands, each once.
func (sc *compiled) sources() []source {
	all := []source{objects(nodesQuery)}
	if sc.s.TakesAPI() {
		all = append(all, nodeRecord{sc})
	} else {
		all = append(all, objects(recordQuery(sc.lab)))
	}
	if len(sc.s.NodeActions()) > 0 {
		all = append(all, nodeMarks{sc})
	}
	for _, o := range sc.objs {
		all = append(all, objects(seedQuery(o)))
	}
	for _, o := range sc.s.Live {
		all = append(all, objects(o.Objects))
	}
	for _, o := range sc.s.Clears {
		all = append(all, objects(o))
	}
	for _, c := range sc.conditions() {
		if _, typed := c.Evidence.(labfile.Answer); c.Evidence != nil && !typed { // what was typed is in the record
			all = append(all, sourceOf(c))
		}
	}
	seen := map[kube.Query]bool{}
	return slices.DeleteFunc(all, func(s source) bool {
		twice := seen[s.query()]
		seen[s.query()] = true
		return twice
	})
}

// observe reads all sources at a time, once. What could not be read says so in its Update. shared is the look that others
// take part in, nil where there is none.
func observe(ctx context.Context, c *kube.Client, sources []source, shared *kube.Shared) kube.Snapshot {
	snapshot := kube.Snapshot{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, s := range sources {
		wg.Go(func() {
			read := s.read
			if o, is := s.(objects); is && shared != nil {
				read = func(ctx context.Context, c *kube.Client) ([]*unstructured.Unstructured, error) {
					return shared.List(ctx, c, o.query())
				}
			}
			objs, err := read(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			snapshot[s.query()] = kube.Update{Objects: objs, Err: err, Synced: err == nil || isUnknownKind(err)}
		})
	}
	wg.Wait()
	return snapshot
}

// follow calls each with what is seen of the sources once all that is watched was seen, or cannot be, and whenever that
// has changed, until each is done or ctx ends. What is not watched is read before each call, which then comes once a second.
func (sc *compiled) follow(ctx context.Context, c *kube.Client, each func(kube.Snapshot) kube.Decision) error {
	var watched []kube.Query
	unwatched := slices.DeleteFunc(sc.sources(), func(s source) bool {
		o, is := s.(objects)
		if is {
			watched = append(watched, o.query())
		}
		return is
	})
	return c.Until(ctx, watched, func(snapshot kube.Snapshot) kube.Decision {
		if !snapshot.Synced() && snapshot.Err() == nil {
			return kube.Decision{}
		}
		maps.Copy(snapshot, observe(ctx, c, unwatched, nil))
		d := each(snapshot)
		if len(unwatched) > 0 && (d.Wake == 0 || d.Wake > time.Second) {
			d.Wake = time.Second // what is not watched may change unseen
		}
		return d
	})
}

// lookWithin bounds one look. An API server that refuses says so at once; one that hangs, as it does while
// etcd is away, would keep whoever asked waiting.
const lookWithin = 5 * time.Second

// lookWithin bounds one look; a scenario that takes the API server away does not wait for it as long.
func (sc *compiled) lookWithin() time.Duration {
	if sc.s.TakesAPI() {
		return 2 * time.Second
	}
	return lookWithin
}

// assessNow looks once and says where the scenario stands.
func (sc *compiled) assessNow(ctx context.Context, c *kube.Client) *assessment {
	return sc.assessShared(ctx, c, nil)
}

// assessShared is assessNow in a look that others take part in.
func (sc *compiled) assessShared(ctx context.Context, c *kube.Client, shared *kube.Shared) *assessment {
	ctx, cancel := context.WithTimeout(ctx, sc.lookWithin())
	defer cancel()
	return sc.assess(observe(ctx, c, sc.sources(), shared), c.ServerNow(), nil)
}

// look looks once; with Probe it probes.
func (r *Resource) look(ctx context.Context, sc *compiled, client *kube.Client) *assessment {
	if r.Probe {
		return sc.settle(ctx, client, r.Shared)
	}
	return sc.assessShared(ctx, client, r.Shared)
}

// Observe looks once and writes nothing; see Probe. What the learner has done is drift without an action: no
// Apply undoes it.
func (r *Resource) Observe(ctx context.Context) (provision.Observation, error) {
	sc, client, err := r.open(ctx)
	if errors.Is(err, kube.ErrNoCluster) {
		return provision.Observation{State: provision.Absent, Reason: "there is no cluster", Action: "seed it and prove its symptom"}, nil
	}
	if err != nil {
		return provision.Observation{}, err
	}
	a := r.look(ctx, sc, client)
	v := r.explained(ctx, a, sc.verified(a))
	o, err := v.observation(sc.unrecorded(a))
	if a.State == Pristine && a.Foreign != nil {
		return o, kube.Foreign(a.Foreign, sc.marks())
	}
	if err == nil {
		r.sum("%s", v.Reason)
	}
	return o, err
}

// Preflight refuses to seed over objects of the same names that labctl did not make. A cluster
// that is not there yet, or does not answer, is no reason to refuse.
func (r *Resource) Preflight(ctx context.Context) error {
	sc, client, err := r.open(ctx)
	if err != nil {
		return nil //nolint:nilerr // Apply will say it
	}
	if a := sc.assessNow(ctx, client); a.State == Pristine && a.Foreign != nil {
		return kube.Foreign(a.Foreign, sc.marks())
	}
	return nil
}

package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// State is where a scenario stands.
type State string

// The states. A break goes from pristine over seeding to broken, and by the learner's hand to
// changed, solved or original-gone. A task is open or solved; a demo shown or changed.
const (
	Pristine     State = "pristine"      // nothing of it is in the cluster
	Seeding      State = "seeding"       // seeded, wholly or in part; the symptom was not proven and recorded yet
	Broken       State = "broken"        // the symptom shows
	Shown        State = "shown"         // a demo's sight shows
	Changed      State = "changed"       // worked on: neither the symptom nor the solution
	Solved       State = "solved"        // solved, and held for as long as it must
	OriginalGone State = "original-gone" // what was seeded is gone and cannot be replaced; only reset helps
	Open         State = "open"          // a task that is not done
	Unknown      State = "unknown"       // cannot be told
)

// assessment is what a look at the cluster says about a scenario.
type assessment struct {
	State   State
	Symptom []Finding
	Solved  []Finding // conditions, then guards
	// Remaining is how long the solution has still to hold; it is meaningful when all of Solved
	// holds.
	Remaining time.Duration
	// Touched is when somebody last changed what is asked for, by the API server's clock.
	Touched time.Time
	// Written is when anybody last wrote anything of it, its status included; Moving: that more will come of it is seen.
	Written time.Time
	Moving  bool
	// Edited: a seeded object asks for something else than it did, or is gone.
	Edited bool
	// Lost are the seeded objects that are gone or replaced and that solving needs.
	Lost []string
	// Foreign is an object of another's that stands where a pristine scenario would be seeded.
	Foreign *unstructured.Unstructured

	record    *record // nil: never seeded
	kept      bool    // something stands in the record's place in the cluster, be it broken
	learned   sightings
	unprobed  bool  // there are conditions whose probes were not run
	trouble   error // why the record could not be read
	evaluator *evaluator
}

// assess says where the scenario stands in what was seen of the cluster. now is the API server's
// clock; learned, where not nil, are sightings that hold besides those on record, and takes what is
// seen to hold now.
func (sc *compiled) assess(snapshot kube.Snapshot, now time.Time, learned sightings) *assessment {
	return sc.assessSince(snapshot, now, learned, nil)
}

// assessSince is assess with the streaks of conditions on probes, which it keeps; see streaks.
func (sc *compiled) assessSince(snapshot kube.Snapshot, now time.Time, learned sightings, since streaks) *assessment {
	a := &assessment{}
	a.record, a.kept, a.trouble = readRecord(snapshot[recordQuery(sc.lab)], sc.lab, sc.s.Name)
	if a.trouble != nil {
		a.State = Unknown
		return a
	}
	ours := sc.standing(snapshot, a)
	if a.record == nil && len(ours)+len(snapshot[nodeMarksQuery].Objects) > 0 {
		a.record = adopt(ours, now)
	}
	a.learned = a.record.sightings()
	for l := range learned {
		a.learned[l] = true
	}
	a.evaluator = sc.evaluator(snapshot, a, learned != nil)
	a.evaluator.now, a.evaluator.since = now, since
	a.Symptom = a.evaluator.findAll("symptom", sc.s.Symptom)
	if s := sc.s.Solved; s != nil {
		a.Solved = append(a.evaluator.findAll("condition", s.Conditions), a.evaluator.findAll("guard", s.Guards)...)
		held := later(a.evaluator.heldSince(sc.solving()), a.evaluator.probedSince(sc.solving()))
		a.Remaining = max(0, s.StableFor-now.Sub(held))
	}
	a.unprobed = slices.ContainsFunc(slices.Concat(a.Symptom, a.Solved), func(f Finding) bool { return f.unprobed })
	a.Touched = a.evaluator.touched(append(sc.solving(), sc.s.Symptom...))
	a.Written, a.Moving = a.evaluator.activity(append(sc.solving(), sc.s.Symptom...))
	a.Edited = a.record != nil && a.record.Complete && !sc.untouched(a, snapshot)
	a.Lost = sc.lost(a, snapshot)
	a.State = sc.state(a, snapshot)
	return a
}

// standing returns our objects that stand where the seed would put them, and notes a foreign one.
func (sc *compiled) standing(snapshot kube.Snapshot, a *assessment) (ours []*unstructured.Unstructured) {
	for _, o := range sc.objs {
		for _, live := range snapshot[seedQuery(o)].Objects {
			if sc.marks().On(live.GetLabels()) {
				ours = append(ours, live)
			} else if a.record == nil {
				a.Foreign = live
			}
		}
	}
	return ours
}

func (sc *compiled) evaluator(snapshot kube.Snapshot, a *assessment, learn bool) *evaluator {
	known := map[string]cty.Value{}
	if a.record != nil {
		for name, obj := range sc.names {
			if o, made := a.record.Objects[key(obj)]; made {
				known[name] = cty.ObjectVal(map[string]cty.Value{
					"uid": cty.StringVal(o.UID), "time": cty.StringVal(o.Time.Format(time.RFC3339)),
				})
			}
		}
	}
	base := sc.base.NewChild()
	base.Variables = map[string]cty.Value{"seeded": cty.ObjectVal(known)}
	j := &evaluator{snapshot: snapshot, scenario: sc.s.Name, live: sc.s.Live, base: base, seen: a.learned, learn: learn, nodes: map[string]*unstructured.Unstructured{}}
	if a.record != nil {
		j.answers = a.record.Answers
	}
	u := snapshot[nodesQuery]
	j.nodesErr = u.Err
	for _, n := range u.Objects {
		j.nodes[n.GetName()] = n
	}
	return j
}

// lost returns the seeded objects that solving needs as they were seeded, by their UID, and that
// are gone, going or replaced.
func (sc *compiled) lost(a *assessment, snapshot kube.Snapshot) (lost []string) {
	if a.record == nil || !a.record.Complete {
		return nil
	}
	for _, o := range sc.objs {
		was, ok := a.record.Objects[key(o)]
		u := snapshot[seedQuery(o)]
		if !ok || u.Err != nil || !u.Synced || !sc.needsUID(o) {
			continue
		}
		kept := slices.ContainsFunc(alive(u.Objects), func(live *unstructured.Unstructured) bool { return string(live.GetUID()) == was.UID })
		if !kept {
			lost = append(lost, kube.Ref(o.GetKind(), o.GetName()))
		}
	}
	return lost
}

// state puts the findings together.
func (sc *compiled) state(a *assessment, snapshot kube.Snapshot) State {
	symptom, solved := all(a.Symptom...), all(a.Solved...)
	done := solved == Holds && a.Remaining == 0
	if sc.s.Type == labfile.Task {
		switch {
		case a.record == nil && len(sc.objs) > 0:
			return sc.notBegun(snapshot)
		case a.record != nil && (a.record.Removing || !a.record.Complete):
			return Seeding
		case done:
			return Solved
		case solved == Inconclusive && !a.unprobed:
			return Unknown
		}
		return Open
	}
	sight := Broken
	if sc.s.Type == labfile.Demo {
		sight = Shown
	}
	switch {
	case a.record == nil:
		return sc.notBegun(snapshot)
	case a.record.Removing, !a.record.Complete && len(sc.steps) > 0: // before its last step it may well look solved
		return Seeding
	case done:
		return Solved
	case len(a.Lost) > 0:
		return OriginalGone
	case !a.record.Complete:
		return Seeding
	case symptom == Holds:
		return sight
	case a.unprobed && a.record.Proven != nil && !a.Edited && symptom == Inconclusive && restHolds(a.Symptom):
		return sight // as it was proven
	case a.record.Proven == nil && !a.Edited:
		return Seeding
	case a.unprobed && !doubtful(a.Symptom) && !doubtful(a.Solved):
		return Changed
	case symptom == Inconclusive, solved == Inconclusive:
		return Unknown
	}
	return Changed
}

// notBegun is the state of a scenario that nothing is on record of: pristine where all that would be seeded can be seen
// not to be there, or to be another's.
func (sc *compiled) notBegun(snapshot kube.Snapshot) State {
	for _, o := range sc.objs {
		if u := snapshot[seedQuery(o)]; u.Err != nil && !isUnknownKind(u.Err) || !u.Synced {
			return Unknown
		}
	}
	if snapshot[nodeMarksQuery].Err != nil {
		return Unknown
	}
	return Pristine
}

// untouched reports whether all seeded objects are there as they were made.
func (sc *compiled) untouched(a *assessment, snapshot kube.Snapshot) bool {
	for _, o := range sc.objs {
		was := a.record.Objects[key(o)]
		if snapshot[seedQuery(o)].Err != nil {
			continue // what was not seen was not seen to be changed
		}
		same := slices.ContainsFunc(snapshot[seedQuery(o)].Objects, func(live *unstructured.Unstructured) bool {
			return string(live.GetUID()) == was.UID && specHash(live) == was.Spec
		})
		if !same {
			return false
		}
	}
	return true
}

// stale says why an object's status does not tell how it is now; "" when it does. A controller
// that has not seen the newest spec reports on an older one, and a node whose kubelet is gone
// leaves its pods' last status standing.
func stale(obj *unstructured.Unstructured, nodes map[string]*unstructured.Unstructured) string {
	observed, found, _ := unstructured.NestedInt64(obj.Object, "status", "observedGeneration")
	if found && observed < obj.GetGeneration() {
		return fmt.Sprintf("the status of %s is older than its last change (generation %d, observed %d)",
			refOf(obj), obj.GetGeneration(), observed)
	}
	if obj.GetKind() != "Pod" {
		return ""
	}
	name, _, _ := unstructured.NestedString(obj.Object, "spec", "nodeName")
	if name == "" {
		return ""
	}
	node, ok := nodes[name]
	if !ok {
		return fmt.Sprintf("%s is on node %s, which does not exist", refOf(obj), name)
	}
	if status, message := kube.Status(node, "Ready"); status != "True" {
		if message == "" {
			message = "no status yet"
		}
		return fmt.Sprintf("%s is on node %s, which is not Ready (%s)", refOf(obj), name, message)
	}
	return ""
}

func refOf(obj *unstructured.Unstructured) string { return kube.Ref(obj.GetKind(), obj.GetName()) }

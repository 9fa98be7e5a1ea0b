// Package provision holds labctl's one idea: everything in a lab is a resource that can be
// observed, applied and destroyed, each any number of times. The graph runs them in the order of
// their needs. What a resource is made of lives in the packages below this one.
package provision

import (
	"context"
	"slices"

	"github.com/labctl/labctl/internal/event"
)

// Resource is one thing that a lab declares. Its methods may be called any number of times, one
// at a time.
type Resource interface {
	// Addr is the resource's address, unique in a lab: "cluster.kind.my-cluster".
	Addr() string
	// Needs lists what must have been reached before Apply may begin.
	Needs() []Need
	// Observe looks and changes nothing. An error means that the question could not be answered.
	Observe(context.Context) (Observation, error)
	// Apply converges the resource to its declaration, resumes what an earlier run began, and
	// announces milestones to the sink as they are reached.
	Apply(context.Context, event.Sink) error
	// Destroy returns nil only after it has seen that nothing of the resource is left.
	Destroy(context.Context, event.Sink) error
}

// Need is a milestone of another resource.
type Need struct {
	Resource  Resource
	Milestone string // empty: the other resource's Apply has returned
	// Lasting: once reached, the milestone stands by itself, as an image does that the mirror holds. A later
	// failure of the resource then does not stop who needed it.
	Lasting bool
}

// The milestones that more than one resource knows.
const (
	MilestoneEngine = "engine" // commands can be run on the host's Docker engine
	MilestoneNodes  = "nodes"  // the node containers run
	MilestoneAPI    = "api"    // the API server answers
)

// State says how a resource stands to its declaration.
type State string

// The states of an observed resource.
const (
	Absent  State = "absent"
	Partial State = "partial" // begun and not finished, or partly stopped
	Drifted State = "drifted" // complete, but not as declared
	Current State = "current"
)

// Observation is what Observe saw.
type Observation struct {
	State State `json:"state"`
	// Phase is a resource's own word for how it stands, where it has one: a scenario's "broken" or "solved".
	Phase string `json:"phase,omitempty"`
	// Reason is one sentence for a person: "2 of 3 nodes run; my-cluster-worker2 exited".
	Reason string `json:"reason"`
	// Evidence is what was looked at, in the world's own words.
	Evidence []string `json:"evidence,omitempty"`
	// Action is what Apply would do, for `labctl plan`; empty when it would do nothing. A resource that is as
	// declared may still have something to put on record.
	Action string `json:"action,omitempty"`
	// Next is what a person can type about it, a full sentence; empty when Action says it all.
	Next string `json:"next,omitempty"`
	// Unsure: it is not Current, but whether it only is not yet, for a reason outside of the lab, cannot be
	// told. Apply would still work on it.
	Unsure bool `json:"-"`
	// Unobservable: what needs this resource cannot be seen before it is applied, as what is on a host that
	// nobody can log in to. It is then not asked.
	Unobservable bool `json:"-"`
}

// Settled reports that Apply would do nothing.
func (o Observation) Settled() bool { return o.State == Current && o.Action == "" }

// The labels by which labctl knows its own containers and volumes on a Docker engine.
const (
	LabelLab     = "labctl.lab"
	LabelOwner   = "labctl.owner"
	LabelCluster = "labctl.cluster"
)

// Ownership is a lab's identity: its name and its owner. Nothing without both is ever touched.
type Ownership struct{ Lab, Owner string }

// Labels returns the marks as "key=value", followed by more of the same form.
func (m Ownership) Labels(more ...string) []string {
	return append([]string{LabelLab + "=" + m.Lab, LabelOwner + "=" + m.Owner}, more...)
}

// On tells whether labels carry these marks.
func (m Ownership) On(labels map[string]string) bool {
	return labels[LabelLab] == m.Lab && labels[LabelOwner] == m.Owner
}

// Flags returns the labels as arguments of docker run or docker volume create.
func Flags(labels []string) []string {
	var args []string
	for _, l := range labels {
		args = append(args, "--label", l)
	}
	return slices.Clip(args)
}

// Package event defines what the engine says while it works. Engine code emits events and never
// prints; internal/view turns them into a terminal display, plain lines or NDJSON.
//
// The JSON form of these types (docs/events.md) is a public interface: fields are added, never
// renamed or removed.
package event

import "time"

// Event is one of the types of this package.
type Event interface{ kind() string }

// Sink takes events. Implementations are safe for concurrent use and do not block for long.
type Sink interface{ Emit(Event) }

// SinkFunc makes a Sink of a function, which must be safe for concurrent use.
type SinkFunc func(Event)

// Emit calls f.
func (f SinkFunc) Emit(e Event) { f(e) }

// Discard drops every event.
var Discard Sink = SinkFunc(func(Event) {})

// Verb says what is being done with a resource.
type Verb string

// The verbs of the resource graph.
const (
	Observe Verb = "observe"
	Apply   Verb = "apply"
	Destroy Verb = "destroy"
)

// Started: work on one resource begins.
type Started struct {
	Addr string `json:"addr"` // "cluster.kind.my-cluster"
	Verb Verb   `json:"verb"`
	// Expect is how long this usually takes; zero when nobody knows.
	Expect time.Duration `json:"expect_ns,omitempty"`
}

// Progress: a step within the work on one resource has begun.
type Progress struct {
	Addr string `json:"addr"`
	Step string `json:"step"` // "kubeadm init on my-cluster-control-plane"
	// Expect is how long the step usually takes; zero when nobody knows.
	Expect time.Duration `json:"expect_ns,omitempty"`
}

// Milestone: a resource has reached a point that others may wait for.
type Milestone struct {
	Addr string `json:"addr"`
	Name string `json:"name"` // "engine", "nodes", "api", "ready"
}

// Finished: work on one resource has ended.
type Finished struct {
	Addr    string        `json:"addr"`
	Verb    Verb          `json:"verb"`
	Result  Result        `json:"result"`
	Detail  string        `json:"detail,omitempty"` // "3 nodes ready", "symptom proven: ..."
	Error   string        `json:"error,omitempty"`
	Elapsed time.Duration `json:"elapsed_ns"`
}

// Result says how the work on a resource ended.
type Result string

// The results.
const (
	Done      Result = "done"      // something was changed
	Unchanged Result = "unchanged" // it already was as declared
	Failed    Result = "failed"
	Skipped   Result = "skipped" // not begun, or stopped, because something that it needs failed
)

// Notice: something the user should know that is neither progress nor an error.
type Notice struct {
	Addr string `json:"addr,omitempty"`
	Text string `json:"text"`
	// Warning marks what may need the user's hand.
	Warning bool `json:"warning,omitempty"`
}

func (Started) kind() string   { return "started" }
func (Progress) kind() string  { return "progress" }
func (Milestone) kind() string { return "milestone" }
func (Finished) kind() string  { return "finished" }
func (Notice) kind() string    { return "notice" }

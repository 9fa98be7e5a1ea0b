package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/provision"
)

// Report is what was seen of a lab's resources; its JSON form is that of `verify -o json` and `status NAME -o json`.
type Report struct {
	Lab       string            `json:"lab"`
	Owner     string            `json:"owner"`
	Verdict   provision.Verdict `json:"verdict"` // that of all resources together
	Resources []Row             `json:"resources"`
	Seconds   float64           `json:"seconds,omitempty"`
	Next      string            `json:"next,omitempty"`
	State     Standing          `json:"state,omitempty"` // by Status alone; Detail says more
	Detail    string            `json:"detail,omitempty"`
	Host      *HostStatus       `json:"host,omitempty"` // by Status alone, of a lab on a host of its own
}

// Row is what was seen of one resource.
type Row struct {
	Addr  string          `json:"addr"`
	State provision.State `json:"state,omitempty"`
	provision.Answer
	Phase    string   `json:"phase,omitempty"` // of a scenario: "broken", "solved"
	Evidence []string `json:"evidence,omitempty"`
}

// Verify observes the whole lab and changes nothing but for the pods of probes, which it makes and removes with probe;
// without it, what rests on probes is as it was proven last.
func (l *Lab) Verify(ctx context.Context, probe bool) (*Report, error) {
	graph, err := l.graphThat(probe, &kube.Shared{})
	if err != nil {
		return nil, err
	}
	report := &Report{Lab: l.Name(), Owner: l.state.Owner, Verdict: provision.Holds}
	for _, o := range graph.Observe(ctx) {
		row := Row{Addr: o.Resource.Addr(), State: o.State, Answer: o.Answer(), Phase: o.Phase, Evidence: o.Evidence}
		if row.Verdict != provision.Holds && row.Next == "" {
			row.Next = "Run `" + l.state.UpCommand() + "`: it converges the lab to its file."
		}
		report.add(row)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return report, nil
}

func (r *Report) add(row Row) {
	r.Resources = append(r.Resources, row)
	r.Verdict = provision.Together(r.Verdict, row.Verdict)
}

// Err returns nil when everything is as declared, else a silent error of its class: the rows say why.
func (r *Report) Err() error {
	switch r.Verdict {
	case provision.DoesNotHold:
		return clierr.Silent(clierr.NotHolding)
	case provision.Inconclusive:
		return clierr.Silent(clierr.Inconclusive)
	}
	return nil
}

// Missing returns nil when nothing of the lab is missing, else a silent error of its class. A scenario that the
// learner is working on was left alone on purpose and is not missing.
func (r *Report) Missing() error {
	var unknown error
	for _, row := range r.Resources {
		switch {
		case row.State == provision.Partial || row.State == provision.Absent:
			return clierr.Silent(clierr.Failed)
		case row.Verdict == provision.Inconclusive:
			unknown = clierr.Silent(clierr.Inconclusive)
		}
	}
	return unknown
}

// Unseen returns nil when every resource could be looked at, else a silent error of class clierr.Inconclusive. A
// scenario's own doubts are part of what was seen.
func (r *Report) Unseen() error {
	for _, row := range r.Resources {
		if row.Verdict == provision.Inconclusive && !strings.HasPrefix(row.Addr, "scenario.") {
			return clierr.Silent(clierr.Inconclusive)
		}
	}
	return nil
}

// Change is what `up` would do to one resource; its JSON form is that of `plan -o json`.
type Change struct {
	Addr   string          `json:"addr"`
	State  provision.State `json:"state"`
	Reason string          `json:"reason"`
	Action string          `json:"action,omitempty"` // empty: nothing

	Settled bool `json:"-"` // nothing is to be done
}

// Plan says what Up would do to each resource, and changes nothing. A resource that cannot be looked at is an error
// of class clierr.Inconclusive.
func (l *Lab) Plan(ctx context.Context) ([]Change, error) {
	graph, err := l.graph()
	if err != nil {
		return nil, err
	}
	all := []Change{}
	for _, o := range graph.Observe(ctx) {
		if o.Err != nil {
			return nil, clierr.Observing(fmt.Errorf("%s: %w", o.Resource.Addr(), o.Err))
		}
		all = append(all, Change{o.Resource.Addr(), o.State, o.Reason, o.Action, o.Settled()})
	}
	return all, ctx.Err()
}

package lab

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

const noEngine = "the Docker engine does not answer"

// Standing says how a lab is, in one word.
type Standing string

// The standings; docs/state.md says when each applies.
const (
	StandsUp      Standing = "up"
	StandsPartial Standing = "partial"
	Stopped       Standing = "stopped"
	Gone          Standing = "gone"
	CannotBeTold  Standing = "unknown"
)

// Status is one lab in a list; its JSON form is that of `status -o json`.
type Status struct {
	Lab        string      `json:"lab"`
	Owner      string      `json:"owner"`
	Mine       bool        `json:"mine"`
	Title      string      `json:"title,omitempty"`
	File       string      `json:"file,omitempty"`
	Cluster    string      `json:"cluster,omitempty"`
	State      Standing    `json:"state"`
	Detail     string      `json:"detail"`
	Containers []string    `json:"containers"`
	Host       *HostStatus `json:"host,omitempty"` // nil for a lab on this machine
}

// List says how each lab is that this machine remembers or whose marks it finds on its Docker engine: the caller's
// own, or everybody's. An error, beside the list, says what could not be told.
func (m *Machine) List(ctx context.Context, everybody bool) ([]Status, error) {
	located, err := m.locate(ctx, "")
	if err != nil {
		return nil, err
	}
	var errs []error
	engineAsked := false
	var asked sync.WaitGroup
	found := slices.DeleteFunc(located.Labs, func(f Found) bool { return !f.Mine && !everybody })
	all := make([]Status, len(found)) // never nil: an empty list is an answer
	for i, f := range found {
		row := &all[i]
		*row = Status{Lab: f.Lab, Owner: f.Owner, Mine: f.Mine, Containers: []string{}}
		for _, c := range f.Containers {
			if name := c.Labels[provision.LabelCluster]; name != "" {
				row.Cluster = name
			}
			row.Containers = append(row.Containers, c.Name+" "+c.State)
		}
		if f.State != nil {
			row.Title, row.File, row.Cluster = f.State.Title, f.State.File, cmp.Or(row.Cluster, f.State.Cluster.Name)
		}
		if f.State != nil && len(f.State.Host) > 0 {
			asked.Go(func() {
				row.Host = m.hostStatus(ctx, f.State)
				row.State, row.Detail = hostStanding(row.Host, row.Lab, missed(f.State))
			})
			continue
		}
		engineAsked = true
		switch {
		case located.Engine != nil:
			row.State, row.Detail = CannotBeTold, noEngine
		case f.Elsewhere != nil:
			row.State, row.Detail = CannotBeTold, f.Elsewhere.Error()
			errs = append(errs, f.Elsewhere)
		default:
			row.State, row.Detail = standing(f)
		}
	}
	asked.Wait()
	if located.Engine != nil && engineAsked {
		errs = append([]error{engineAway(located.Engine)}, errs...)
	}
	return all, errors.Join(errs...)
}

// Status is Verify, and how the lab is in one word.
func (l *Lab) Status(ctx context.Context) (*Report, error) {
	host := make(chan *HostStatus, 1)
	go func() {
		if l.remote == nil {
			host <- nil
			return
		}
		host <- l.m.hostStatus(ctx, l.state)
	}()
	report, err := l.Verify(ctx, false)
	if err != nil {
		return nil, err
	}
	if report.Host = <-host; report.Host != nil {
		report.State, report.Detail = hostStanding(report.Host, l.Name(), missed(l.state))
		return report, nil
	}
	containers, err := l.engine.Containers(ctx, l.cluster.Ownership.Labels()...)
	report.State, report.Detail = standing(Found{Lab: l.Name(), Owner: l.state.Owner, State: l.state, Containers: containers})
	if err != nil {
		report.State, report.Detail = CannotBeTold, noEngine
	}
	return report, nil
}

// missed says what a lab still lacks by what is remembered of its last `up`; "" when that came through. What
// runs cannot tell: a host that was just launched runs, and so do the nodes of a cluster that was never finished.
func missed(st *state.State) string {
	switch {
	case !st.Cluster.Created:
		return "its cluster has not been finished; `labctl up` goes on"
	case st.Unfinished:
		return "its `labctl up` has not come through; the same command goes on"
	}
	return ""
}

// hostStanding says of a lab on a host what standing says of one on this machine.
func hostStanding(h *HostStatus, lab, missed string) (state Standing, detail string) {
	switch h.State {
	case "running":
		if missed != "" {
			return StandsPartial, h.String() + "; " + missed
		}
		return StandsUp, h.String()
	case "stopped", "stopping":
		return Stopped, h.String() + "; `labctl start` brings it back"
	case "unknown":
		return CannotBeTold, h.String() + ", as last seen: " + h.Problem
	case "pending":
		return StandsPartial, h.String() + "; `labctl up` goes on"
	case "gone", "no instance", "shutting-down":
		detail = "its host " + h.Instance + " is not there any more"
		if h.Instance == "" {
			detail = "no host was launched"
		}
		if !h.Expires.IsZero() && h.ExpiresIn <= 0 {
			detail += ": its time was up at " + h.Expires.Local().Format("15:04 MST")
		}
		return Gone, detail + "; `labctl up` makes a new one, `labctl down " + lab + "` forgets it"
	}
	return StandsPartial, h.String()
}

// standing sums a lab on this machine up.
func standing(f Found) (state Standing, detail string) {
	running := 0
	var stopped []string
	for _, c := range f.Containers {
		if c.State == "running" {
			running++
		} else {
			stopped = append(stopped, c.Name+" is "+c.State)
		}
	}
	lacks := ""
	if f.State != nil {
		lacks = missed(f.State)
	}
	switch {
	case f.Unreadable != nil:
		return CannotBeTold, f.Unreadable.Error()
	case len(f.Containers) == 0:
		return Gone, "nothing of it exists on this engine; `labctl down " + f.Lab + "` forgets it"
	case running == 0:
		return Stopped, "`labctl start` brings it back"
	case len(stopped) > 0:
		slices.Sort(stopped)
		return StandsPartial, strings.Join(stopped, ", ") + "; `labctl up` repairs it"
	case lacks != "":
		return StandsPartial, lacks
	}
	return StandsUp, count.Do(running, "container", "runs", "run")
}

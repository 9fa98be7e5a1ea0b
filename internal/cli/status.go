package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// labStatus is one lab as status shows it.
type labStatus struct {
	Lab        string   `json:"lab"`
	Owner      string   `json:"owner"`
	Mine       bool     `json:"mine"`
	Title      string   `json:"title,omitempty"`
	File       string   `json:"file,omitempty"`
	Cluster    string   `json:"cluster,omitempty"`
	State      string   `json:"state"` // up, partial, stopped, gone, unknown: docs/state.md
	Detail     string   `json:"detail"`
	Containers []string `json:"containers"`
	// Host is the lab's host on AWS; nil for a lab on this machine.
	Host *hostStatus `json:"host,omitempty"`

	remote    *state.State
	missed    string // why the lab is not up although all that there is of it runs
	broken    string // why its state cannot be read
	elsewhere error  // the lab is on another engine than the one that is asked
}

func (a *app) statusCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show the labs that are up, or one lab in full",
		Long: `Status lists your labs: those that labctl remembers and those whose marks it finds on the Docker
engine. With a name it shows every resource of that lab. It changes nothing. Of a lab on AWS it shows
what its host costs, has cost (by labctl's price table) and when it ends itself.

A lab is "up" when an "up" has come through and everything of it runs, "partial" when one has not or
something does not run, "stopped", "gone" when nothing of it exists any more, and "unknown" when the
engine or AWS does not answer.`,
		Args:              between(0, 1, "at most one lab"),
		ValidArgsFunction: a.completeLabs,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.tries = fewTries
			if len(args) == 1 {
				a.lab = args[0]
			}
			if a.lab != "" {
				return a.statusOfOne(cmd.Context())
			}
			return a.statusOfAll(cmd.Context(), all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list other owners' labs as well")
	return cmd
}

func (a *app) statusOfOne(ctx context.Context) error {
	s, err := a.understood(ctx)
	if err != nil {
		return err
	}
	host := make(chan *hostStatus, 1)
	go func() {
		if s.remote == nil {
			host <- nil
			return
		}
		host <- a.askHost(ctx, s.state)
	}()
	result, err := s.verify(ctx)
	if err != nil {
		return err
	}
	result.Host = <-host
	if result.Host != nil {
		result.State, result.Detail = hostStanding(result.Host, s.lab.Name, missed(s.state))
	} else {
		containers, err := s.engine.Containers(ctx, s.cluster.Ownership.Labels()...)
		result.State, result.Detail = standing(labStatus{Lab: s.lab.Name, Owner: s.state.Owner, missed: missed(s.state)}, containers)
		if err != nil {
			result.State, result.Detail = "unknown", noEngine
		}
	}
	err = a.print(result, func() {
		since := s.state.Created.Local().Format("2006-01-02 15:04")
		if result.State == "up" {
			fmt.Fprintf(a.out(), "Lab %s of %s, from %s, up since %s\n", s.lab.Name, s.state.Owner, s.state.File, since)
		} else {
			fmt.Fprintf(a.out(), "Lab %s of %s, from %s, begun %s: %s: %s\n", s.lab.Name, s.state.Owner, s.state.File, since, result.State, result.Detail)
		}
		if result.Host != nil {
			fmt.Fprintf(a.out(), "Host %s\n", result.Host)
		}
		fmt.Fprintln(a.out())
		a.printVerify(result, false)
	})
	if err != nil {
		return err
	}
	if result.Host != nil {
		err = a.hostNews(result.Host, s.lab.Name)
	}
	return cmp.Or(err, result.untold())
}

// untold gives a status its exit code: not that everything is as declared, but that it could be looked at.
// A scenario's own doubts are part of what was seen.
func (v *verification) untold() error {
	for _, r := range v.Resources {
		if r.Verdict == provision.CannotTell && !strings.HasPrefix(r.Addr, "scenario.") {
			return silent(clierr.Unknown)
		}
	}
	return nil
}

// hostNews warns of a host that is about to end, and fails where AWS does not say how it is.
func (a *app) hostNews(h *hostStatus, lab string) error {
	if text := h.ending(lab); text != "" {
		fmt.Fprintln(a.Err, "Warning: "+text)
	}
	if h.Problem == "" {
		return nil
	}
	return clierr.New(clierr.Unknown, "how the host of lab %s is cannot be told now: %s", lab, h.Problem).
		WithNext("What is shown of it is what labctl remembers. It ends itself all the same when its time is up.")
}

func (a *app) statusOfAll(ctx context.Context, all bool) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	owner, err := a.whose()
	if err != nil {
		return err
	}
	names, err := home.Labs()
	if err != nil {
		return err
	}
	engine, _ := a.docker()
	containers, engineErr := engine.Containers(ctx, provision.LabelLab)
	found := []labStatus{}
	for _, name := range names {
		st, err := home.Lab(name).Load()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		row := labStatus{Lab: name, Owner: owner, Mine: true, State: "unknown", Containers: []string{}}
		if err != nil {
			row.broken = err.Error()
		} else {
			row.Owner, row.Mine, row.Title, row.File, row.Cluster = st.Owner, st.Owner == owner, st.Title, st.File, st.Cluster.Name
			row.missed = missed(st)
			if at := differs(ctx, engine, st); at != "" {
				row.elsewhere = otherEngine(clierr.Unknown, st, at)
			}
			if len(st.Host) > 0 {
				// By AWS's name, unless one is given: that it is here says whose it is.
				row.Mine, row.remote = a.owner == "" || st.Owner == owner, st
			}
		}
		found = append(found, row)
	}
	for _, c := range containers {
		lab, whose := c.Labels[provision.LabelLab], c.Labels[provision.LabelOwner]
		i := slices.IndexFunc(found, func(r labStatus) bool { return r.Lab == lab && r.Owner == whose })
		if i < 0 {
			found = append(found, labStatus{Lab: lab, Owner: whose, Mine: whose == owner, Containers: []string{}})
			i = len(found) - 1
		}
		if name := c.Labels[provision.LabelCluster]; name != "" {
			found[i].Cluster = name
		}
		found[i].Containers = append(found[i].Containers, c.Name+" "+c.State)
	}
	found = slices.DeleteFunc(found, func(r labStatus) bool { return !r.Mine && !all })
	a.askHosts(ctx, found)
	here := 0
	for i := range found {
		if found[i].remote != nil {
			continue
		}
		here++
		if engineErr != nil {
			found[i].State, found[i].Detail = "unknown", noEngine
			continue
		}
		if other := found[i].elsewhere; other != nil {
			found[i].State, found[i].Detail = "unknown", other.Error()
			continue
		}
		found[i].State, found[i].Detail = standing(found[i], containers)
	}
	if err := a.print(map[string]any{"labs": found}, func() { a.printStatus(found) }); err != nil {
		return err
	}
	var errs []error
	if engineErr != nil && here > 0 {
		errs = append(errs, engineAway(engineErr))
	}
	for _, r := range found {
		if r.elsewhere != nil {
			errs = append(errs, r.elsewhere)
		}
		if r.Host != nil {
			errs = append(errs, a.hostNews(r.Host, r.Lab))
		}
	}
	return errors.Join(errs...)
}

// askHosts fills in how the hosts on AWS are.
func (a *app) askHosts(ctx context.Context, found []labStatus) {
	var wg sync.WaitGroup
	for i := range found {
		if found[i].remote == nil {
			continue
		}
		wg.Go(func() {
			r := &found[i]
			r.Host = a.askHost(ctx, r.remote)
			r.State, r.Detail = hostStanding(r.Host, r.Lab, r.missed)
		})
	}
	wg.Wait()
}

func (a *app) printStatus(found []labStatus) {
	if len(found) == 0 {
		fmt.Fprintln(a.out(), "No lab is up. `labctl up day10.hcl --local` starts one.")
		return
	}
	var rows [][]string
	for _, r := range found {
		rows = append(rows, []string{r.Lab, r.Owner, r.State, r.Cluster, r.Detail})
	}
	a.printer().Table([]string{"LAB", "OWNER", "STATE", "CLUSTER", "DETAIL"}, rows)
}

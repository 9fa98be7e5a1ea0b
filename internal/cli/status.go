package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
)

type statusOptions struct {
	*app
	lab string // empty: all
	all bool
}

func newStatusCommand(a *app, run func(context.Context, *statusOptions) error) *cobra.Command {
	o := &statusOptions{app: a}
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
			o.lab = a.lab
			if len(args) == 1 {
				o.lab = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "list other owners' labs as well")
	return cmd
}

func runStatus(ctx context.Context, o *statusOptions) error {
	m := o.machine(lab.FewTries)
	if o.lab == "" {
		return o.list(ctx, m)
	}
	l, err := m.Reopen(ctx, o.lab, lab.Understood)
	if err != nil {
		return err
	}
	report, err := l.Status(ctx)
	if err != nil {
		return err
	}
	err = o.print(report, func(p *view.Printer) {
		st := l.State()
		since := st.Created.Local().Format("2006-01-02 15:04")
		if report.State == lab.StandsUp {
			fmt.Fprintf(o.Out, "Lab %s of %s, from %s, up since %s\n", l.Name(), st.Owner, st.File, since)
		} else {
			fmt.Fprintf(o.Out, "Lab %s of %s, from %s, begun %s: %s: %s\n", l.Name(), st.Owner, st.File, since, report.State, report.Detail)
		}
		if report.Host != nil {
			fmt.Fprintf(o.Out, "Host %s\n", report.Host)
		}
		fmt.Fprintln(o.Out)
		printReport(p, report, false)
	})
	if err != nil {
		return err
	}
	if err := o.warn(report.Host, l.Name()); err != nil {
		return err
	}
	return report.Unseen()
}

func (o *statusOptions) list(ctx context.Context, m *lab.Machine) error {
	all, untold := m.List(ctx, o.all)
	if all == nil {
		return untold
	}
	err := o.print(map[string]any{"labs": all}, func(p *view.Printer) {
		if len(all) == 0 {
			fmt.Fprintln(o.Out, "No lab is up. `labctl up day10.hcl --local` starts one.")
			return
		}
		var rows [][]string
		for _, s := range all {
			rows = append(rows, []string{s.Lab, s.Owner, string(s.State), s.Cluster, s.Detail})
		}
		p.Table([]string{"LAB", "OWNER", "STATE", "CLUSTER", "DETAIL"}, rows)
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		untold = errors.Join(untold, o.warn(s.Host, s.Lab))
	}
	return untold
}

// warn warns of a host that is about to end, and fails where AWS does not say how it is.
func (o *statusOptions) warn(h *lab.HostStatus, name string) error {
	if h == nil {
		return nil
	}
	if text := h.Ending(name); text != "" {
		o.say("Warning: %s", text)
	}
	if h.Problem == "" {
		return nil
	}
	return clierr.New(clierr.Inconclusive, "how the host of lab %s is cannot be told now: %s", name, h.Problem).
		WithNext("What is shown of it is what labctl remembers. It ends itself all the same when its time is up.")
}

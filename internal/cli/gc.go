package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
)

type gcOptions struct {
	*app
	lab.CollectOptions
}

func newGCCommand(a *app, run func(context.Context, *gcOptions) error) *cobra.Command {
	o, all := &gcOptions{app: a}, false
	cmd := &cobra.Command{
		Use:   "gc [--dry-run] [--region REGION...] [--all-regions]",
		Short: "Find what labs have left, and remove what has had its time",
		Long: `Gc lists everything that carries labctl's marks: in AWS the hosts of all owners, on this machine's
Docker what is left of your labs whose state is gone, and the mirror's cache of images.

It removes what is yours and whose time is up: expired hosts, and the cache when no lab uses it. What
is not expired, or somebody else's, is only listed. A host that you have stopped is kept, whatever its
time, unless --stopped is given. With --dry-run nothing is removed, and the exit code is 6 when there
is anything.

It looks in every region that the account has enabled, or in those given. Without AWS credentials it
looks at this machine alone; with --region or --all-regions it then fails, as a scheduled job should.
A region that cannot be looked at is named, the others are dealt with, and the exit code is 5.`,
		Example: "  labctl gc --dry-run\n  labctl gc --region ap-south-2 --region eu-central-1\n  labctl gc --all-regions --owner ci -o json",
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all && len(o.Regions) > 0 {
				return clierr.New(clierr.Usage, "--region and --all-regions exclude each other")
			}
			o.NeedAWS = all || len(o.Regions) > 0
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "remove nothing; exit with 6 when something is there")
	cmd.Flags().BoolVar(&o.Stopped, "stopped", false, "remove your stopped hosts as well when their time is up")
	cmd.Flags().StringArrayVar(&o.Regions, "region", nil, "look in this region; may be given several times")
	cmd.Flags().BoolVar(&all, "all-regions", false, "look in every region that the account has enabled (the default), and fail without credentials")
	_ = cmd.RegisterFlagCompletionFunc("region", cobra.NoFileCompletions)
	return cmd
}

func runGC(ctx context.Context, o *gcOptions) error {
	result, failed := o.machine(0).Collect(ctx, o.CollectOptions)
	if result == nil {
		return failed
	}
	if err := o.print(result, func(p *view.Printer) { o.printCollection(p, result) }); err != nil {
		return err
	}
	if o.DryRun && len(result.Found) > 0 {
		failed = errors.Join(failed, clierr.Silent(clierr.Leftover))
	}
	return failed
}

func (o *gcOptions) printCollection(p *view.Printer, c *lab.Collection) {
	for _, s := range c.Skipped {
		fmt.Fprintln(o.Err, "Not looked at:", s)
	}
	if len(c.Found) == 0 {
		if !c.Complete {
			return // the error that follows says where something may be
		}
		where := "on this machine"
		if len(c.Regions) > 0 {
			where = "in " + strings.Join(c.Regions, ", ") + " and " + where
		}
		fmt.Fprintf(o.Out, "Nothing of labctl's is left %s.\n", where)
		return
	}
	var rows [][]string
	for _, f := range c.Found {
		verdict := "kept: "
		switch {
		case f.Remove && o.DryRun:
			verdict = "would be removed: "
		case f.Remove:
			verdict = "to remove: "
		}
		price := ""
		if f.PerHour > 0 {
			price = fmt.Sprintf("$%.4f/h", f.PerHour)
			if f.Estimate {
				price = "~" + price
			}
		}
		rows = append(rows, []string{f.Where, f.Lab, f.Owner, f.State, price, strings.Join(f.What, ", "), verdict + f.Why})
	}
	p.Table([]string{"WHERE", "LAB", "OWNER", "STATE", "COSTS", "WHAT", "VERDICT"}, rows)
	for _, what := range c.Removed {
		fmt.Fprintln(o.Out, "Removed and seen to be gone:", what)
	}
}

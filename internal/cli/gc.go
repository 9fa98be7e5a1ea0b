package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/provision/ec2"
)

// gcFlags are gc's.
type gcFlags struct {
	dryRun, stopped, all bool
	regions              []string
}

// finding is something of labctl's that exists, and what gc does with it.
type finding struct {
	Where    string    `json:"where"` // an AWS region, or "this machine"
	Lab      string    `json:"lab,omitempty"`
	Owner    string    `json:"owner"`
	Mine     bool      `json:"mine"`
	What     []string  `json:"what"`
	State    string    `json:"state"`
	Expires  time.Time `json:"expires,omitzero"`
	PerHour  float64   `json:"per_hour_usd,omitempty"`
	Estimate bool      `json:"estimate,omitempty"`
	// Remove: gc without --dry-run removes it. Why says why or why not.
	Remove bool   `json:"remove"`
	Why    string `json:"why"`

	collect func(context.Context) ([]string, error)
}

// collection is the result of gc.
type collection struct {
	Regions []string  `json:"regions"`
	Found   []finding `json:"found"`
	Removed []string  `json:"removed"`
	Skipped []string  `json:"skipped,omitempty"` // what was not looked at, and why
	// Complete: everything that was to be looked at was.
	Complete bool `json:"complete"`
}

func (a *app) gcCommand() *cobra.Command {
	var f gcFlags
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
			if f.all && len(f.regions) > 0 {
				return clierr.New(clierr.Usage, "--region and --all-regions exclude each other")
			}
			return a.gc(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "remove nothing; exit with 6 when something is there")
	cmd.Flags().BoolVar(&f.stopped, "stopped", false, "remove your stopped hosts as well when their time is up")
	cmd.Flags().StringArrayVar(&f.regions, "region", nil, "look in this region; may be given several times")
	cmd.Flags().BoolVar(&f.all, "all-regions", false, "look in every region that the account has enabled (the default), and fail without credentials")
	_ = cmd.RegisterFlagCompletionFunc("region", cobra.NoFileCompletions)
	return cmd
}

func (a *app) gc(ctx context.Context, f gcFlags) error {
	result := &collection{Regions: []string{}, Found: []finding{}, Removed: []string{}}
	// One place that cannot be looked at does not hide what is in the others.
	var failed *multierror.Error
	for _, look := range []func(context.Context, gcFlags, *collection) error{a.gcEC2, a.gcLocal} {
		if err := look(ctx, f, result); err != nil {
			failed = multierror.Append(failed, looked(err))
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	result.Complete = failed == nil
	if !f.dryRun {
		for i := range result.Found {
			found := &result.Found[i]
			if !found.Remove {
				continue
			}
			removed, err := found.collect(ctx)
			result.Removed = append(result.Removed, removed...)
			switch {
			case errors.Is(err, ec2.ErrChanged):
				found.Remove, found.Why = false, err.Error()
			case err != nil:
				failed = multierror.Append(failed, err)
			}
		}
	}
	if err := a.print(result, func() { a.printCollection(result, f.dryRun) }); err != nil {
		return err
	}
	if f.dryRun && len(result.Found) > 0 {
		failed = multierror.Append(failed, silent(clierr.Leftover))
	}
	return failed.ErrorOrNil()
}

func (a *app) printCollection(c *collection, dryRun bool) {
	for _, s := range c.Skipped {
		fmt.Fprintln(a.Err, "Not looked at:", s)
	}
	if len(c.Found) == 0 {
		if !c.Complete {
			return // the error that follows says where something may be
		}
		where := "on this machine"
		if len(c.Regions) > 0 {
			where = "in " + strings.Join(c.Regions, ", ") + " and " + where
		}
		fmt.Fprintf(a.out(), "Nothing of labctl's is left %s.\n", where)
		return
	}
	var rows [][]string
	for _, f := range c.Found {
		verdict := "kept: "
		switch {
		case f.Remove && dryRun:
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
	a.printer().Table([]string{"WHERE", "LAB", "OWNER", "STATE", "COSTS", "WHAT", "VERDICT"}, rows)
	for _, what := range c.Removed {
		fmt.Fprintln(a.out(), "Removed and seen to be gone:", what)
	}
}

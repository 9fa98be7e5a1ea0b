package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision/ec2"
)

type downOptions struct {
	*app
	target string // a lab's name or a lab file; empty: --lab, else the only lab that is up
	region string
}

func newDownCommand(a *app, run func(context.Context, *downOptions) error) *cobra.Command {
	o := &downOptions{app: a}
	cmd := &cobra.Command{
		Use:   "down [NAME|FILE]",
		Short: "Remove everything of a lab, and prove that it is gone",
		Long: `Down removes every container, volume and file of a lab, or its host on AWS with everything on it, and
looks whether that is so. It goes by the marks on what exists, so it works without the lab file and
without labctl's state: a lab that this machine does not remember is looked for on its Docker engine
and then, where AWS credentials are configured, in the regions of your AWS account.

Only the mirror's cache of images stays. With nothing up it does nothing and succeeds.`,
		Example:           "  labctl down\n  labctl down day10\n  labctl down day10 --region eu-central-1",
		Args:              between(0, 1, "at most one lab or lab file"),
		ValidArgsFunction: a.completeLabs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.target = args[0]
			}
			return run(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.region, "region", "", "where on AWS to look for a lab that this machine does not remember (default: all regions)")
	return cmd
}

func runDown(ctx context.Context, o *downOptions) error {
	m := o.machine(0)
	name, err := o.lab, error(nil)
	if o.target != "" || name == "" {
		name, err = m.Named(ctx, o.target, func(path string) (string, error) {
			declared, _, _, err := o.read(ctx, m, fileOptions{path: path, FileOptions: lab.FileOptions{Local: true}})
			if err != nil {
				return "", err
			}
			return declared.Name, nil
		})
	}
	if err != nil {
		return err
	}
	r, err := m.Destroy(ctx, lab.Target{Lab: name, Region: o.region})
	if err == nil {
		return o.print(r, func(*view.Printer) { o.printReceipt(r, m) })
	}
	if r != nil {
		o.sayCutShort(r, err)
	}
	return err
}

// sayCutShort says what there is after a removal that has not come through, as far as its error does not.
func (o *downOptions) sayCutShort(r *lab.Receipt, err error) {
	if len(r.Removed) > 0 {
		// Not "the lab is gone": more of it may be where nobody could look.
		o.say("Removed and seen to be gone: %s", strings.Join(r.Removed, ", "))
	}
	if clierr.ClassOf(err) == clierr.Inconclusive && !r.Forgotten && !strings.HasPrefix(clierr.NextOf(err), "Nothing was forgotten") {
		o.say("Nothing was forgotten: the same command goes on from here.")
	}
}

// printReceipt prints what was removed.
func (o *downOptions) printReceipt(r *lab.Receipt, m *lab.Machine) {
	switch {
	case r.NothingUp:
		fmt.Fprintln(o.Out, "Nothing is up.")
		return
	case len(r.Removed) == 0:
		fmt.Fprintf(o.Out, "Nothing of lab %s exists.\n", r.Lab)
		if len(r.Looked) > 0 {
			fmt.Fprintf(o.Out, "Looked at: %s\n", strings.Join(r.Looked, ", "))
		}
		if r.NotLooked != "" {
			fmt.Fprintln(o.Out, r.NotLooked)
		}
		if home, err := m.Home(); err == nil {
			if others, _ := home.Labs(); len(others) > 0 {
				fmt.Fprintf(o.Out, "Other labs are up: %s\n", strings.Join(others, ", "))
			}
		}
		return
	}
	took := time.Duration(r.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	fmt.Fprintf(o.Out, "Lab %s is gone after %s. Removed and seen to be gone:\n", r.Lab, took)
	for _, what := range r.Removed {
		fmt.Fprintf(o.Out, "  %s\n", what)
	}
	if len(r.KeptVolume) > 0 {
		fmt.Fprintf(o.Out, "Kept, so that the next lab starts fast: volume %s (the mirror's images)\n", strings.Join(r.KeptVolume, ", "))
	}
	if r.Spent > 0 {
		fmt.Fprintf(o.Out, "It has cost about $%.2f (prices of %s, without taxes).\n", r.Spent, ec2.PricesAsOf)
	}
}

package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/lab"
)

type upOptions struct {
	*app
	file fileOptions
	may  lab.UpOptions
}

func newUpCommand(a *app, run func(context.Context, *upOptions) error) *cobra.Command {
	o := &upOptions{app: a}
	cmd := &cobra.Command{
		Use:   "up FILE [--local] [--name NAME]",
		Short: "Provision a lab, apply its scenarios, prove that each is as declared",
		Long: `Up converges a lab to its file: host, cluster, mirror, scenarios. What is there already is left
alone, what is missing is made, what was begun is finished. A scenario that you have repaired stays
repaired; only "labctl reset" breaks it again.

FILE is a path, or the name of one of labctl's own labs (day10.hcl). A file of that name in the
current folder wins. "-" is a lab on standard input, with the current folder for its own.

A lab whose file declares a host on AWS is put there, with your AWS credentials, and costs what is
shown first; --local puts it on this machine's own Docker instead. The host ends itself when the
lab's ttl is over.`,
		Example:           "  labctl up day10.hcl --local\n  labctl up day10.hcl --local --name second\n  labctl up day10.hcl --var region=eu-central-1",
		Args:              exactly(1, "one lab file"),
		ValidArgsFunction: completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file.path = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.file.addFlags(cmd)
	cmd.Flags().BoolVar(&o.may.Recreate, "recreate", false, "replace a cluster or host that cannot be repaired; what was done in it is lost")
	cmd.Flags().BoolVar(&o.may.KeepFailed, "keep-failed", false, "keep a host that never became ready, to be looked at; it costs until its time is up")
	return cmd
}

func runUp(ctx context.Context, o *upOptions) error {
	l, err := o.open(ctx, o.machine(0), o.file)
	if err != nil {
		return err
	}
	for _, text := range lab.Foreign(l.Declared) { // before the first act
		o.progress.Emit(event.Notice{Warning: true, Text: text})
	}
	out, err := l.Up(ctx, o.may)
	return errors.Join(err, o.printOutcome(out, l.Declared.Scenarios))
}

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
)

type stopOptions struct{ *app }

func newStopCommand(a *app, run func(context.Context, *stopOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop a lab's containers, and its host; what is in them stays",
		Long: `Stop stops the lab's containers, and after them the host on AWS that they are on, if there is one. Of a
stopped host only the disk is paid for. "labctl start" brings everything back as it was.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), &stopOptions{a}) },
	}
}

func runStop(ctx context.Context, o *stopOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	host, err := l.Stop(ctx)
	if err != nil {
		return err
	}
	result := struct {
		Lab   string          `json:"lab"`
		State string          `json:"state"`
		Host  *lab.HostStatus `json:"host,omitempty"`
	}{l.Name(), "stopped", host}
	return o.print(result, func(*view.Printer) {
		if host == nil {
			fmt.Fprintf(o.Out, "Lab %s is stopped. `labctl start` brings it back as it was; `labctl down %s` removes it.\n", l.Name(), l.Name())
			return
		}
		fmt.Fprintf(o.Out, "Lab %s is stopped: %s.\n", l.Name(), host)
		fmt.Fprintf(o.Out, "Only its disk is paid for. `labctl start` brings it back as it was; `labctl down %s` removes it.\n", l.Name())
	})
}

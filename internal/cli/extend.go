package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/view"
)

// longestExtension bounds one `extend`: a slip of the keyboard must not pay for a year.
const longestExtension = 72 * time.Hour

type extendOptions struct {
	*app
	by time.Duration
}

func newExtendCommand(a *app, run func(context.Context, *extendOptions) error) *cobra.Command {
	return &cobra.Command{
		Use:   "extend DURATION",
		Short: "Let a lab's EC2 host live longer",
		Long: `Extend moves the time at which the lab's EC2 host ends itself: by DURATION from what it is now, or
from this moment where that is past. It is written on the instance's tags and set on the host.

A lab on this machine's own Docker has no such time. A host that is stopped gets its whole time
again from "labctl start".`,
		Example: "  labctl extend 2h\n  labctl extend 90m --lab day10",
		Args:    exactly(1, "a duration such as 2h"),
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := extension(args[0])
			if err != nil {
				return err
			}
			return run(cmd.Context(), &extendOptions{a, by})
		},
		ValidArgsFunction: cobra.FixedCompletions([]string{"1h", "2h", "4h"}, cobra.ShellCompDirectiveNoFileComp),
	}
}

// extension reads the duration.
func extension(text string) (time.Duration, error) {
	by, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, clierr.New(clierr.Usage, "%q is no duration", text).WithNext("Write it as 2h, 90m or 1h30m.")
	case by < time.Minute || by > longestExtension:
		return 0, clierr.New(clierr.Usage, "a host is extended by 1m to 72h at a time, and %s is not within that", text).
			WithNext("Use `labctl extend` again later if it has to live longer.")
	}
	return by, nil
}

func runExtend(ctx context.Context, o *extendOptions) error {
	l, err := o.reopen(ctx, lab.Outline)
	if err != nil {
		return err
	}
	if !l.Remote() {
		return onThisMachine(l, "it has no host that ends by itself", "Nothing has to be done: it stays until `labctl down %s`.", l.Name())
	}
	r, err := l.Extend(ctx, o.by)
	if err != nil {
		return err
	}
	return o.print(r, func(*view.Printer) {
		text := fmt.Sprintf("Lab %s: instance %s now ends itself at %s, in %s", r.Lab, r.Instance, r.Expires.Local().Format("2006-01-02 15:04 MST"), count.Duration(r.Left))
		if r.Priced {
			text += fmt.Sprintf("; until then that is about $%.2f", r.PerHour*r.Left.Hours())
		}
		fmt.Fprintln(o.Out, text+".")
	})
}

// onThisMachine is the answer of a command that is about another host than this machine.
func onThisMachine(l *lab.Lab, why, next string, args ...any) error {
	return clierr.New(clierr.Usage, "lab %s is on this machine's own Docker: %s", l.Name(), why).WithNext(next, args...)
}

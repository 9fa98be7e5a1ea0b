package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/count"
)

// longestExtension bounds one `extend`: a slip of the keyboard must not pay for a year.
const longestExtension = 72 * time.Hour

// extended is the result of extend.
type extended struct {
	Lab      string    `json:"lab"`
	Instance string    `json:"instance"`
	Expires  time.Time `json:"expires"`
	PerHour  float64   `json:"per_hour_usd,omitempty"`
	Estimate bool      `json:"estimate,omitempty"`
}

func (a *app) extendCommand() *cobra.Command {
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
			return a.extend(cmd.Context(), by)
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

func (a *app) extend(ctx context.Context, by time.Duration) error {
	s, err := a.entered(ctx)
	if err != nil {
		return err
	}
	if s.remote == nil {
		return onThisMachine(s.lab.Name, "it has no host that ends by itself", "Nothing has to be done: it stays until `labctl down %s`.", s.lab.Name)
	}
	defer s.remote.Close()
	release, err := s.holdUnsettled(ctx) // nothing is asked of the engine
	if err != nil {
		return err
	}
	defer release()
	v := a.view()
	until, err := s.remote.Extend(ctx, v, by)
	v.Close()
	if err != nil {
		return err
	}
	cost := s.remote.Cost()
	r := extended{Lab: s.lab.Name, Instance: s.remote.State.InstanceID, Expires: until, PerHour: cost.PerHour, Estimate: cost.Estimate}
	return a.print(r, func() {
		left := until.Sub(s.remote.Client.Now(a.now())).Round(time.Minute)
		text := fmt.Sprintf("Lab %s: instance %s now ends itself at %s, in %s", r.Lab, r.Instance, until.Local().Format("2006-01-02 15:04 MST"), count.Duration(left))
		if cost.Known {
			text += fmt.Sprintf("; until then that is about $%.2f", cost.PerHour*left.Hours())
		}
		fmt.Fprintln(a.out(), text+".")
	})
}

// onThisMachine is the answer of a command that is about another host than this machine.
func onThisMachine(lab, why, next string, args ...any) error {
	return clierr.New(clierr.Usage, "lab %s is on this machine's own Docker: %s", lab, why).WithNext(next, args...)
}

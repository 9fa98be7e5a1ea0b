package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/view"
)

type verifyOptions struct {
	*app
	junit    string // a file
	evidence bool
}

func newVerifyCommand(a *app, run func(context.Context, *verifyOptions) error) *cobra.Command {
	o := &verifyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "verify [--evidence] [--junit FILE]",
		Short: "Is the lab as declared, and each scenario broken as declared or solved?",
		Long: `Verify looks at every resource of the lab and changes nothing. It exits with 0 when the
infrastructure is as declared and every scenario is broken as declared or solved, with 4 when
something is not, and with 5 when something cannot be told. With --evidence it shows what it saw of
what is not as declared; JSON and JUnit have that always.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.evidence, "evidence", false, "show what was seen of what is not as declared")
	cmd.Flags().StringVar(&o.junit, "junit", "", "also write the result to this file in JUnit's XML")
	return cmd
}

func runVerify(ctx context.Context, o *verifyOptions) error {
	l, err := o.machine(lab.FewTries).Reopen(ctx, o.app.lab, lab.Whole)
	if err != nil {
		return err
	}
	report, err := l.Verify(ctx, true)
	if err != nil {
		return err
	}
	if o.junit != "" {
		if err := writeJUnit(o.junit, report.JUnit); err != nil {
			return err
		}
	}
	if err := o.print(report, func(p *view.Printer) { printReport(p, report, o.evidence) }); err != nil {
		return err
	}
	return report.Err()
}

func writeJUnit(path string, render func() ([]byte, error)) error {
	text, err := render()
	if err == nil {
		err = plainfile.Write(path, text)
	}
	if err != nil {
		return clierr.New(clierr.Failed, "writing the JUnit file %s: %w", path, err)
	}
	return nil
}

package cli

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/lab"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision"
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
	report, err := l.Verify(ctx)
	if err != nil {
		return err
	}
	if o.junit != "" {
		if err := writeJUnit(report, o.junit); err != nil {
			return err
		}
	}
	if err := o.print(report, func(p *view.Printer) { printReport(p, report, o.evidence) }); err != nil {
		return err
	}
	return report.Err()
}

// writeJUnit writes a report as the XML that CI systems read: a test case per resource.
func writeJUnit(report *lab.Report, path string) error {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testCase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Failure *message `xml:"failure,omitempty"`
		Error   *message `xml:"error,omitempty"`
	}
	suite := struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Cases    []testCase `xml:"testcase"`
	}{Name: "labctl verify " + report.Lab, Tests: len(report.Resources)}
	for _, r := range report.Resources {
		c := testCase{Name: r.Addr, Class: report.Lab}
		m := &message{Message: r.Reason, Text: strings.Join(append([]string{r.Next}, r.Evidence...), "\n")}
		switch r.Verdict {
		case provision.DoesNotHold:
			c.Failure = m
			suite.Failures++
		case provision.CannotTell:
			c.Error = m
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, c)
	}
	raw, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := plainfile.Write(path, append([]byte(xml.Header), append(raw, '\n')...)); err != nil {
		return clierr.New(clierr.Failed, "writing the JUnit file %s: %w", path, err)
	}
	return nil
}

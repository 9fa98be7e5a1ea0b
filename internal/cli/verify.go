package cli

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/provision"
)

// verification is the result of verify.
type verification struct {
	Lab       string            `json:"lab"`
	Owner     string            `json:"owner"`
	Verdict   provision.Verdict `json:"verdict"` // that of all resources together
	Resources []verifiedRow     `json:"resources"`
	Seconds   float64           `json:"seconds,omitempty"`
	Next      string            `json:"next,omitempty"`
	State     string            `json:"state,omitempty"` // in status: how the lab is, see labStatus; Detail says more
	Detail    string            `json:"detail,omitempty"`
	Host      *hostStatus       `json:"host,omitempty"` // in status, of a lab on a host of its own
}

type verifiedRow struct {
	Addr  string          `json:"addr"`
	State provision.State `json:"state,omitempty"`
	provision.Answer
	Evidence []string `json:"evidence,omitempty"`
}

func (a *app) verifyCommand() *cobra.Command {
	var junit string
	var evidence bool
	cmd := &cobra.Command{
		Use:   "verify [--evidence] [--junit FILE]",
		Short: "Is the lab as declared, and each scenario broken as declared or solved?",
		Long: `Verify looks at every resource of the lab and changes nothing. It exits with 0 when the
infrastructure is as declared and every scenario is broken as declared or solved, with 4 when
something is not, and with 5 when something cannot be told. With --evidence it shows what it saw of
what is not as declared; JSON and JUnit have that always.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.tries = fewTries
			s, err := a.current(cmd.Context())
			if err != nil {
				return err
			}
			result, err := s.verify(cmd.Context())
			if err != nil {
				return err
			}
			if junit != "" {
				if err := result.writeJUnit(junit); err != nil {
					return err
				}
			}
			if err := a.print(result, func() { a.printVerify(result, evidence) }); err != nil {
				return err
			}
			return result.err()
		},
	}
	cmd.Flags().BoolVar(&evidence, "evidence", false, "show what was seen of what is not as declared")
	cmd.Flags().StringVar(&junit, "junit", "", "also write the result to this file in JUnit's XML")
	return cmd
}

// verify observes the whole lab.
func (s *session) verify(ctx context.Context) (*verification, error) {
	graph, err := s.graph()
	if err != nil {
		return nil, err
	}
	result := &verification{Lab: s.lab.Name, Owner: s.state.Owner, Verdict: provision.Holds}
	for _, o := range graph.Observe(ctx) {
		row := verifiedRow{Addr: o.Resource.Addr(), State: o.State, Answer: o.Answer(), Evidence: o.Evidence}
		if row.Verdict != provision.Holds && row.Next == "" {
			row.Next = "Run `" + s.state.UpCommand() + "`: it converges the lab to its file."
		}
		result.add(row)
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return result, nil
}

func (v *verification) add(row verifiedRow) {
	v.Resources = append(v.Resources, row)
	v.Verdict = provision.Together(v.Verdict, row.Verdict)
}

// err gives the result its exit code.
func (v *verification) err() error {
	switch v.Verdict {
	case provision.DoesNotHold:
		return silent(clierr.NotHolding)
	case provision.CannotTell:
		return silent(clierr.Unknown)
	}
	return nil
}

func (v *verification) writeJUnit(path string) error {
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
	}{Name: "labctl verify " + v.Lab, Tests: len(v.Resources)}
	for _, r := range v.Resources {
		c := testCase{Name: r.Addr, Class: v.Lab}
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

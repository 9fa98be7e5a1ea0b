package cli

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/provision"
)

// verification is the result of verify.
type verification struct {
	Lab       string        `json:"lab"`
	Owner     string        `json:"owner"`
	Verdict   string        `json:"verdict"` // "holds", "does-not-hold", "cannot-tell"
	Resources []verifiedRow `json:"resources"`
	Seconds   float64       `json:"seconds,omitempty"`
	Next      string        `json:"next,omitempty"`
	State     string        `json:"state,omitempty"` // in status: how the lab is, see labStatus; Detail says more
	Detail    string        `json:"detail,omitempty"`
	Host      *hostStatus   `json:"host,omitempty"` // in status, of a lab on a host of its own
}

type verifiedRow struct {
	Addr     string          `json:"addr"`
	State    provision.State `json:"state,omitempty"`
	Verdict  string          `json:"verdict"`
	Reason   string          `json:"reason"`
	Evidence []string        `json:"evidence,omitempty"`
	Next     string          `json:"next,omitempty"`
}

func (a *app) verifyCommand() *cobra.Command {
	var junit string
	cmd := &cobra.Command{
		Use:   "verify [--junit FILE]",
		Short: "Is the lab as declared, and each scenario broken as declared or solved?",
		Long: `Verify looks at every resource of the lab and changes nothing. It exits with 0 when the
infrastructure is as declared and every scenario is broken as declared or solved, with 4 when
something is not, and with 5 when something cannot be told.`,
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
			if err := a.print(result, func() { a.printVerify(result) }); err != nil {
				return err
			}
			return result.err()
		},
	}
	cmd.Flags().StringVar(&junit, "junit", "", "also write the result to this file in JUnit's XML")
	return cmd
}

// verify observes the whole lab.
func (s *session) verify(ctx context.Context) (*verification, error) {
	graph, err := s.graph()
	if err != nil {
		return nil, err
	}
	result := &verification{Lab: s.lab.Name, Owner: s.state.Owner, Verdict: "holds"}
	for _, o := range graph.Observe(ctx) {
		row := verifiedRow{Addr: o.Resource.Addr(), State: o.State, Reason: o.Reason, Evidence: o.Evidence, Verdict: "holds"}
		switch {
		case o.Err != nil:
			row.Verdict, row.Reason, row.Next = "cannot-tell", o.Err.Error(), fault.NextOf(o.Err)
		case o.Dark && len(o.Resource.Needs()) > 0:
			row.Verdict = "cannot-tell" // nobody could look
		case o.State != provision.Current:
			row.Verdict = "does-not-hold"
		}
		result.Resources = append(result.Resources, row)
		if row.Verdict == "does-not-hold" || row.Verdict == "cannot-tell" && result.Verdict == "holds" {
			result.Verdict = row.Verdict
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	return result, nil
}

// err gives the result its exit code.
func (v *verification) err() error {
	switch v.Verdict {
	case "does-not-hold":
		return silent(fault.NotHolding)
	case "cannot-tell":
		return silent(fault.Unknown)
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
		m := &message{Message: r.Reason, Text: strings.Join(r.Evidence, "\n")}
		switch r.Verdict {
		case "does-not-hold":
			c.Failure = m
			suite.Failures++
		case "cannot-tell":
			c.Error = m
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, c)
	}
	raw, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(raw, '\n')...), 0o644); err != nil {
		return fault.New(fault.Failed, "writing the JUnit file: %w", err)
	}
	return nil
}

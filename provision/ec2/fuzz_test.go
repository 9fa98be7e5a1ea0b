package ec2

import (
	"context"
	"io"
	"testing"

	"github.com/labctl/labctl/internal/command"
)

// tells is a host whose commands all print the same.
type tells string

func (s tells) Run(_ context.Context, c command.Command) error {
	_, err := io.WriteString(c.Stdout, string(s))
	return err
}

// FuzzReport: what a host says of itself is read, or is told to mean nothing.
func FuzzReport(f *testing.F) {
	for _, text := range []string{
		"", "setup=ready\nstep=ready\ntimer=active\ndocker=27.0.1\nexpires=1800000000\n", "setup=\n", "setup=ready\nexpires=-9223372036854775808\n",
		"setup=ready\nexpires=99999999999999999999\n", "setup\n=\n==\nsetup==x", "setup=\x1b[2J\ndocker=\x9b\n", "expires=1\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := readReport(t.Context(), tells(text))
		if err == nil && r.setup == "" {
			t.Error("a report without a state is taken for one")
		}
		_ = stamp(r.expires)
	})
}

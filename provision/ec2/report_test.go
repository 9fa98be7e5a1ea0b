package ec2

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/command"
)

// saying is a host that answers every command alike.
type saying func(context.Context, io.Writer) error

func (s saying) Run(ctx context.Context, c command.Command) error { return s(ctx, c.Stdout) }

// TestReportOfAHostileHost: what a host says of itself is bounded in size and time, and moves no cursor.
func TestReportOfAHostileHost(t *testing.T) {
	_, err := readReport(t.Context(), saying(func(_ context.Context, to io.Writer) error {
		for range 1 << 20 {
			if _, err := io.WriteString(to, "step=and so on and so on\n"); err != nil {
				return err
			}
		}
		return nil
	}))
	if err == nil || !strings.Contains(err.Error(), "longer than 16384 bytes") {
		t.Errorf("one that never ends: %v", err)
	}
	_, _ = readReport(t.Context(), saying(func(ctx context.Context, _ io.Writer) error {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("it may take as long as it likes")
		}
		return nil
	}))
	r, err := readReport(t.Context(), saying(func(_ context.Context, to io.Writer) error {
		_, err := io.WriteString(to, "setup=busy\nstep=\x1b[2Jready\u009b0m\ndocker=28\u202e\n")
		return err
	}))
	if err != nil || r.step != `\x1b[2Jready\u009b0m` || r.docker != `28\u202e` {
		t.Errorf("%+v, %v; want no control codes", r, err)
	}
	_, err = readReport(t.Context(), saying(func(_ context.Context, to io.Writer) error {
		_, err := io.WriteString(to, strings.Repeat("nonsense ", 1000))
		return err
	}))
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("an error of %d bytes: %v", len(err.Error()), err)
	}
}

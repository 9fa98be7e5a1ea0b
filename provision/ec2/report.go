package ec2

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// report is what the host says of itself (host.sh).
type report struct {
	setup, step, timer, docker string
	expires                    time.Time
}

// A report has a few hundred bytes and takes a docker command's time. The host is the learner's: what it sends is
// bounded, and so is the wait.
const (
	reportTimeout = 30 * time.Second
	mostReport    = 16 << 10
)

func readReport(ctx context.Context, runner command.Runner) (report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, reportTimeout, fmt.Errorf("it has not answered within %s", count.Duration(reportTimeout)))
	defer cancel()
	out := untrusted.NewBuffer(mostReport, "what the host says of itself")
	err := runner.Run(ctx, command.Command{Argv: []string{"/usr/local/sbin/labctl-host", "report"}, Stdout: out})
	if err != nil {
		return report{}, fmt.Errorf("asking the host how it is: %w", err)
	}
	var r report
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "setup":
			r.setup = value
		case "step":
			r.step = untrusted.Line(value)
		case "timer":
			r.timer = untrusted.Line(value)
		case "docker":
			r.docker = untrusted.Line(value)
		case "expires":
			seconds, _ := strconv.ParseInt(value, 10, 64)
			r.expires = time.Unix(seconds, 0).UTC()
		}
	}
	if r.setup == "" {
		return r, fmt.Errorf("asking the host how it is: it says %q", text.Shorten(untrusted.Line(out.String()), 200))
	}
	return r, nil
}

// armHost tells the host when to end, and reads back what it then says.
func (h *Host) armHost(ctx context.Context, runner command.Runner, at time.Time) (report, error) {
	telling, cancel := context.WithTimeoutCause(ctx, reportTimeout, fmt.Errorf("it has not answered within %s", count.Duration(reportTimeout)))
	defer cancel()
	err := runner.Run(telling, command.Command{Argv: []string{"sudo", "/usr/local/sbin/labctl-host", "extend", strconv.FormatInt(at.Unix(), 10)}})
	if err != nil {
		return report{}, fmt.Errorf("telling the host when to end: %w", err)
	}
	var r report
	err = h.poll(ctx, time.Minute, "the timer on the host", func() (bool, string, error) {
		if r, err = readReport(ctx, runner); err != nil {
			return false, "", err
		}
		return r.timer == "active" && r.expires.Equal(at.Truncate(time.Second)), r.timer, nil
	})
	return r, err
}

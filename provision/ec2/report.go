package ec2

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/untrusted"
)

// report is what the host says of itself (host.sh).
type report struct {
	setup, step, timer, docker string
	expires                    time.Time
}

func readReport(ctx context.Context, runner docker.Runner) (report, error) {
	out := untrusted.NewBuffer(1<<20, "what the host says of itself")
	err := runner.Run(ctx, docker.Command{Argv: []string{"/usr/local/sbin/labctl-host", "report"}, Stdout: out})
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
			r.step = value
		case "timer":
			r.timer = value
		case "docker":
			r.docker = value
		case "expires":
			seconds, _ := strconv.ParseInt(value, 10, 64)
			r.expires = time.Unix(seconds, 0).UTC()
		}
	}
	if r.setup == "" {
		return r, fmt.Errorf("asking the host how it is: it says %q", out.String())
	}
	return r, nil
}

// armHost tells the host when to end, and reads back what it then says.
func (h *Host) armHost(ctx context.Context, runner docker.Runner, at time.Time) (report, error) {
	err := runner.Run(ctx, docker.Command{Argv: []string{"sudo", "/usr/local/sbin/labctl-host", "extend", strconv.FormatInt(at.Unix(), 10)}})
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

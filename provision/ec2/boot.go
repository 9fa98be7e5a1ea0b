package ec2

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/ssh"
)

// boot waits from a running instance to an engine that answers: the host key from the console, the
// login, the end of the setup, the armed timer.
func (h *Host) boot(ctx context.Context, sink event.Sink) error {
	if err := h.pin(ctx, sink); err != nil {
		return err
	}
	runner, err := h.login(ctx, sink)
	if err != nil {
		return err
	}
	report, err := h.awaitSetup(ctx, sink, runner)
	if err != nil {
		return err
	}
	if err := h.checkArmed(ctx, sink, runner, report); err != nil {
		return err
	}
	return h.remember(func(s *HostState) { s.Ready = true })
}

// pin reads the host key from the console, once in an instance's life. The console comes from AWS over
// TLS with the caller's credentials, so the key can be trusted before the first connection.
func (h *Host) pin(ctx context.Context, sink event.Sink) error {
	if h.State.HostKey != "" {
		return nil
	}
	id, shown := h.State.InstanceID, 0
	sink.Emit(event.Progress{Addr: h.Addr(), Step: "waiting for the host key on the console of " + id, Expect: 45 * time.Second})
	var key string
	err := h.poll(ctx, h.Timing.HostKey, "the host key on the console of "+id, func() (bool, string, error) {
		text, err := h.Client.console(ctx, id)
		if err != nil {
			return false, "", err
		}
		shown = h.showSteps(sink, consoleSteps(text), shown)
		if key, err = hostKeyIn(text); key != "" || err != nil {
			return key != "", "", err
		}
		if err := h.stillRuns(ctx); err != nil {
			return false, "", err
		}
		return false, lastLine(text), nil
	})
	if err != nil {
		return err
	}
	return h.remember(func(s *HostState) { s.HostKey = key })
}

// showSteps announces the steps from the n-th on and returns how many there are.
func (h *Host) showSteps(sink event.Sink, steps []string, n int) int {
	for _, s := range steps[min(n, len(steps)):] {
		sink.Emit(event.Progress{Addr: h.Addr(), Step: s})
	}
	return len(steps)
}

// stillRuns fails when the instance has ended or was stopped while it was waited for.
func (h *Host) stillRuns(ctx context.Context) error {
	found, err := h.Client.instances(ctx, filter("instance-id", h.State.InstanceID))
	if err != nil || len(found) == 0 {
		return err // one that is not shown may be shown later
	}
	switch i := found[0]; i.State {
	case "pending", "running":
		return nil
	default:
		ended := errEnded
		text := fmt.Sprintf("instance %s is %s", i.ID, i.State)
		if i.Reason != "" {
			text += " (" + i.Reason + ")"
		}
		if now := h.now(); !now.Before(h.State.Expires) {
			text += "; its time was up at " + stamp(h.State.Expires)
		}
		return clierr.New(clierr.Failed, "%s: %w", text, ended).WithNext("Run `labctl up` again; it makes a new one.")
	}
}

var errEnded = errors.New("it ended while labctl was waiting for it")

// login connects. A refusal is final; everything else is what a host that boots looks like.
func (h *Host) login(ctx context.Context, sink event.Sink) (command.Runner, error) {
	var runner command.Runner
	var silent time.Time // since when nothing answers there
	sink.Emit(event.Progress{Addr: h.Addr(), Step: "logging in over SSH to " + h.State.Address})
	err := h.poll(ctx, h.Timing.Boot, "SSH on "+h.State.Address, func() (bool, string, error) {
		var err error
		if runner, _, err = h.Connect(ctx, h.Endpoint()); err == nil {
			return true, "", nil
		}
		if clierr.ClassOf(err) == clierr.Refused || ctx.Err() != nil {
			return false, "", err
		}
		now := h.Clock.Now()
		switch {
		case !errors.Is(err, ssh.ErrUnreachable):
			silent = time.Time{}
		case silent.IsZero():
			silent = now
		case h.Timing.Reach > 0 && now.Sub(silent) >= h.Timing.Reach:
			return false, "", h.unreachable(err)
		}
		return false, err.Error(), h.stillRuns(ctx)
	})
	return runner, err
}

// unreachable explains a host that runs and at whose address nothing answers from here: a closed port would be
// refused, so the packets do not arrive.
func (h *Host) unreachable(err error) error {
	next := "Either this network lets nothing out to port 22, or SSH leaves it from another address: set LABCTL_SSH_FROM or ssh_from to that."
	if h.doubt != "" {
		next = h.doubt + "."
	}
	from := "what its security group names"
	if len(h.from) > 0 {
		from = join(h.from)
	}
	return clierr.New(clierr.Failed, "instance %s runs, and nothing answers at %s:22 from here for %s, though SSH is let in from %s: %w",
		h.State.InstanceID, h.State.Address, count.Duration(h.Timing.Reach), from, err).WithNext("%s", next)
}

// awaitSetup waits until the host says that it is equipped. The connection may break meanwhile (the
// host was booted again); it is then made anew.
func (h *Host) awaitSetup(ctx context.Context, sink event.Sink, runner command.Runner) (report, error) {
	var last report
	var step string
	err := h.poll(ctx, h.Timing.Boot, "the host to be equipped", func() (bool, string, error) {
		r, err := readReport(ctx, runner)
		if err != nil {
			if clierr.ClassOf(err) == clierr.Refused || ctx.Err() != nil {
				return false, "", err
			}
			if again, _, cerr := h.Connect(ctx, h.Endpoint()); cerr == nil {
				runner = again
			} else if clierr.ClassOf(cerr) == clierr.Refused {
				return false, "", cerr
			}
			return false, err.Error(), h.stillRuns(ctx)
		}
		last = r
		if r.step != step {
			step = r.step
			sink.Emit(event.Progress{Addr: h.Addr(), Step: step})
		}
		if r.setup == "failed" {
			return false, "", clierr.New(clierr.Failed, "the host could not be equipped: %s", strings.TrimPrefix(r.step, "FAILED: "))
		}
		return r.setup == "ready" && r.docker != "", fmt.Sprintf("%s (%s)", r.step, r.setup), nil
	})
	return last, err
}

// checkArmed makes sure that the host will end itself, at the time that its tags say.
func (h *Host) checkArmed(ctx context.Context, sink event.Sink, runner command.Runner, r report) error {
	if r.timer == "active" && r.expires.Equal(h.State.Expires) {
		return nil
	}
	sink.Emit(event.Notice{Addr: h.Addr(), Warning: true, Text: fmt.Sprintf("the timer that ends the host was %s, for %s; arming it for %s", r.timer, stamp(r.expires), stamp(h.State.Expires))})
	r, err := h.armHost(ctx, runner, h.State.Expires)
	if err != nil {
		return err
	}
	if r.timer != "active" {
		return clierr.New(clierr.Failed, "the timer that ends %s cannot be armed: systemd says %s", h.State.InstanceID, r.timer).
			WithNext("The host would run, and cost, until somebody ends it: run `labctl down`.")
	}
	return nil
}

// failedBoot ends a host that never became ready, unless it is to be kept, and shows why.
func (h *Host) failedBoot(ctx context.Context, sink event.Sink, cause error) error {
	if ctx.Err() != nil || errors.Is(cause, errEnded) || clierr.ClassOf(cause) == clierr.Refused {
		return cause
	}
	id := h.State.InstanceID
	text, err := h.Client.console(ctx, id)
	if err != nil {
		text = "(" + err.Error() + ")"
	}
	cure := clierr.NextOf(cause)
	if cure != "" {
		cure += " "
	}
	failed := fmt.Errorf("%w\nthe console of %s ends with:\n%s", cause, id, tail(text, 15))
	switch {
	case h.State.Ready || h.launched != id:
		// It worked once, or somebody else is waiting for it: it holds a learner's work.
		return clierr.New(clierr.Failed, "%w", failed).WithNext("%sThe host stays. `labctl up` tries again; `labctl down` removes it.", cure)
	case h.KeepFailed:
		return clierr.New(clierr.Failed, "%w", failed).
			WithNext("%sThe host is kept, and costs, until %s. Look at it with `labctl ssh`; `labctl down` removes it.", cure, stamp(h.State.Expires))
	}
	if err := h.destroyKnown(ctx, sink, id); err != nil {
		return errors.Join(failed, err)
	}
	return clierr.New(clierr.Failed, "%w", failed).
		WithNext("%sThe host was removed. With --keep-failed it stays, to be looked at.", cure)
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// roundLabctl measures one up from nothing, the second up, the verdicts' lag and down.
func (b *bench) roundLabctl(ctx context.Context) error {
	up, err := b.labctlRun(ctx, "up", b.lab, "--local", "--name", labName)
	if err != nil {
		return err
	}
	b.note("up", up.took.Seconds())
	b.note("up CPU", up.cpu.Seconds())
	again, err := b.labctlRun(ctx, "up", b.lab, "--local", "--name", labName)
	if err != nil {
		return err
	}
	b.note("second up", again.took.Seconds())
	if err := b.lag(ctx); err != nil {
		return err
	}
	down, err := b.labctlRun(ctx, "down", labName)
	if err != nil {
		return err
	}
	b.note("down", down.took.Seconds())
	return nil
}

// peakMemory measures what up takes of the memory, in runs of their own.
func (b *bench) peakMemory(ctx context.Context) error {
	const times = 2
	for range times {
		cmd := exec.CommandContext(ctx, b.labctl, "up", b.lab, "--local", "--name", labName)
		cmd.Env = b.env()
		peak, err := memory(cmd)
		if err != nil {
			return err
		}
		b.note("up peak MB", peak)
		if _, err := b.labctlRun(ctx, "down", labName); err != nil {
			return err
		}
	}
	return nil
}

// labctlRun runs labctl with a home of this bench's own.
func (b *bench) labctlRun(ctx context.Context, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, b.labctl, args...)
	cmd.Env = b.env()
	return measured(cmd)
}

func (b *bench) env() []string {
	return append(os.Environ(), "LABCTL_HOME="+b.dir, "LABCTL_OWNER=bench", "LABCTL_LAB=")
}

func (b *bench) timed(ctx context.Context, argv ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = b.env()
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%v: %w: %s", argv, err, out)
	}
	return time.Since(began), nil
}

// lag resets a scenario and compares when labctl says that the symptom is proven with when kubectl's
// own watch first shows it.
func (b *bench) lag(ctx context.Context) error {
	kubeconfig := filepath.Join(b.dir, "labs", labName, "kubeconfig")
	if err := b.takeKubectl(ctx, "my-cluster-"+labName+"-control-plane"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, name := range []string{"imagepull", "crashloop"} {
		shown, err := b.watchFor(ctx, kubeconfig, name)
		if err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, b.labctl, "reset", name, "--lab", labName, "--events", "ndjson")
		cmd.Env = b.env()
		events, err := cmd.StderrPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		said := whenFinished(events, "scenario."+name)
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("labctl reset %s: %w", name, err)
		}
		select {
		case at := <-shown:
			if at.IsZero() || said.IsZero() {
				return fmt.Errorf("the lag of %s: kubectl saw it at %s, labctl said it at %s", name, at, said)
			}
			b.note("verdict lag", said.Sub(at).Seconds())
		case <-ctx.Done():
			return fmt.Errorf("the lag of %s: kubectl's watch never showed the symptom", name)
		}
	}
	return nil
}

// whenFinished reads labctl's events and returns when the resource's apply finished.
func whenFinished(events io.Reader, addr string) time.Time {
	var at time.Time
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			Time time.Time `json:"time"`
			Type string    `json:"type"`
			Addr string    `json:"addr"`
			Verb string    `json:"verb"`
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Type == "finished" && e.Addr == addr && e.Verb == "apply" {
			at = e.Time
		}
	}
	return at
}

// watchFor starts an independent watch and returns a channel that gets the time at which a pod that
// was made after now first shows the scenario's symptom.
func (b *bench) watchFor(ctx context.Context, kubeconfig, scenario string) (<-chan time.Time, error) {
	old := map[string]bool{}
	before, err := b.pods(ctx, kubeconfig)
	if err != nil {
		return nil, err
	}
	for _, p := range before {
		old[p.Metadata.UID] = true
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, b.kubectl, "--kubeconfig", kubeconfig, "get", "pods", "--watch", "-o", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	shown := make(chan time.Time, 1)
	go func() {
		defer func() { cancel(); _ = cmd.Wait() }()
		stream := json.NewDecoder(out)
		for {
			var p pod
			if err := stream.Decode(&p); err != nil {
				shown <- time.Time{}
				return
			}
			if !old[p.Metadata.UID] && p.scenario() == scenario && p.shows() {
				shown <- time.Now()
				return
			}
		}
	}()
	return shown, nil
}

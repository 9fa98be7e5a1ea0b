// Command bench measures labctl against doing the same by hand with the kind CLI and kubectl, on
// real clusters, alternating in one run; then labctl with its lab on a host on AWS (moto_server, and a
// machine that really boots) against the same labctl on that host. It prints a table and writes JSON. It only counts what it
// has seen happen; a round that fails ends the run.
//
// Nothing else should run on the machine meanwhile. It uses clusters and containers of its own names
// and removes them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/labctl/labctl/e2e/ec2/moto"
)

func main() {
	rounds := flag.Int("rounds", 9, "how many rounds")
	labctl := flag.String("labctl", "bin/labctl", "the labctl to measure")
	kind := flag.String("kind", ".build/bin/kind", "the kind CLI of the version that labctl links")
	lab := flag.String("lab", "labs/day10.hcl", "the lab file")
	only := flag.String("only", "", "measure one half alone: local (this machine's own engine) or ssh (a host on AWS)")
	sshRounds := flag.Int("ssh-rounds", 5, "how many rounds over SSH")
	events := flag.String("events", "", "where labctl's events and output of each run over SSH are kept, to see what takes time; \"\" keeps none")
	out := flag.String("json", ".build/bench.json", "where the figures go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *only != "" && *only != onlyLocal && *only != onlySSH {
		fmt.Fprintf(os.Stderr, "bench: -only %s: want %s or %s\n", *only, onlyLocal, onlySSH)
		os.Exit(2)
	}
	b, err := newBench(*labctl, *kind, *lab)
	if err == nil {
		b.only, b.events = *only, *events
		err = b.measure(ctx, *rounds, *sshRounds)
		b.cleanUp(context.WithoutCancel(ctx))
	}
	if err == nil || b != nil && len(b.unmeasured) > 0 {
		err = errors.Join(err, b.report(os.Stdout, *out))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	labctl, kind, lab string
	dir               string // of this run: labctl's home, kubeconfigs, a kubectl
	kubectl           string
	samples           map[string][]float64
	started           time.Time
	only              string   // "", or the half that is measured
	unmeasured        []string // what could not be, and why
	events            string   // where labctl's events are kept; "" for nowhere
	kept              int
}

// The halves of a run.
const (
	onlyLocal = "local"
	onlySSH   = "ssh"
)

const (
	labName  = "bench"
	byHand   = "bench-by-hand"
	mirror   = "bench-by-hand-mirror"
	nodeFrom = "labctl.kubernetes" // label of a node image
)

func newBench(labctl, kind, lab string) (*bench, error) {
	dir, err := os.MkdirTemp("", "labctl-bench")
	if err != nil {
		return nil, err
	}
	b := &bench{dir: dir, samples: map[string][]float64{}, started: time.Now(), kubectl: filepath.Join(dir, "kubectl")}
	for _, p := range []struct {
		into *string
		path string
	}{{&b.labctl, labctl}, {&b.kind, kind}, {&b.lab, lab}} {
		if *p.into, err = filepath.Abs(p.path); err != nil {
			return nil, err
		}
		if _, err := os.Stat(*p.into); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// measure does both halves, or the one that is wanted.
func (b *bench) measure(ctx context.Context, rounds, sshRounds int) error {
	if b.only != onlySSH {
		if err := b.run(ctx, rounds); err != nil {
			return err
		}
	}
	if b.only == onlyLocal {
		return nil
	}
	err := b.overSSH(ctx, sshRounds)
	if err == nil || b.only == onlySSH {
		return err
	}
	// The other half is worth having: the report says what is missing in it.
	b.unmeasured = append(b.unmeasured, "over SSH: "+err.Error())
	if errors.Is(err, moto.ErrMissing) {
		return nil
	}
	return err
}

// run does the rounds on this machine's own engine. The order rotates, so that no side always has the warmer machine.
func (b *bench) run(ctx context.Context, rounds int) error {
	sides := []func(context.Context) error{b.roundLabctl, b.roundByHand, b.roundCreateOnly}
	for i := range rounds {
		for j := range sides {
			if err := sides[(i+j)%len(sides)](ctx); err != nil {
				return fmt.Errorf("round %d: %w", i+1, err)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d after %s: up %.1f s, by hand %.1f s, create and wait %.1f s\n", i+1, rounds,
			time.Since(b.started).Round(time.Second), b.last("up"), b.last("by hand"), b.last("create and wait"))
	}
	if err := b.peakMemory(ctx); err != nil {
		return err
	}
	for range 40 {
		took, err := b.timed(ctx, b.labctl, "version")
		if err != nil {
			return err
		}
		b.note("version", took.Seconds())
	}
	size, err := os.Stat(b.labctl)
	if err != nil {
		return err
	}
	b.note("binary MB", float64(size.Size())/1e6)
	return nil
}

func (b *bench) note(name string, value float64) { b.samples[name] = append(b.samples[name], value) }

func (b *bench) last(name string) float64 {
	s := b.samples[name]
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}

// cleanUp removes whatever a failed round left.
func (b *bench) cleanUp(ctx context.Context) {
	if b.only != onlySSH {
		_, _ = b.labctlRun(ctx, "down", labName)
		_ = b.deleteByHand(ctx)
	}
	if cache, err := b.output(ctx, "docker", "volume", "ls", "-q", "--filter", "label=labctl.owner=bench"); err == nil && cache != "" {
		_, _ = b.output(ctx, "docker", "volume", "rm", cache)
	}
	_ = os.RemoveAll(b.dir)
}

func writeJSON(path string, v any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

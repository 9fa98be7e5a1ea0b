package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// roundTrip is how far away the distant host is.
const roundTrip = 100 * time.Millisecond

// Where labctl and its lab lie on the host, for up --local there.
const hostDir = "/root/bench"

// timing runs up on the host and prints how many nanoseconds it took, so that getting there does not count.
const timing = `set -eu
began=$(date +%s%N)
"$@" >/tmp/bench.log 2>&1 || { cat /tmp/bench.log; exit 1; }
took=$(($(date +%s%N) - began))
cat /tmp/bench.log
echo $took`

// clearing leaves of the lab what is on the host before a first up: its engine, images and the mirror's cache.
const clearing = `docker ps --all --quiet --filter label=labctl.owner=bench | xargs --no-run-if-empty docker rm --force --volumes >/dev/null`

// overSSH measures labctl with its lab on a host on AWS against the same labctl on that host, and against
// itself from far away.
func (b *bench) overSSH(ctx context.Context, rounds int) (err error) {
	s, err := b.openSite(ctx)
	if err != nil {
		return fmt.Errorf("what stands in for AWS: %w", err)
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		if _, derr := s.labctl(ctx, io.Discard, "down", labName); err == nil {
			err = derr
		}
		if cerr := s.close(ctx); err == nil {
			err = cerr
		}
	}()
	if err := s.settle(ctx); err != nil {
		return err
	}
	sides := []func(context.Context) error{
		s.roundNear,
		s.roundInside,
		s.roundFar,
	}
	for i := range rounds {
		for j := range sides {
			if err := sides[(i+j)%len(sides)](ctx); err != nil {
				return fmt.Errorf("over SSH, round %d: %w", i+1, err)
			}
		}
		fmt.Fprintf(os.Stderr, "over SSH, round %d of %d after %s: up %.1f s, on the host %.1f s, %s away %.1f s\n", i+1, rounds,
			time.Since(b.started).Round(time.Second), b.last("ssh up"), b.last("inside up"), roundTrip, b.last("far up"))
	}
	return nil
}

// settle boots the host and brings labctl onto it. The first up of either side does what is done once, fills
// the mirror's cache for one, and is not counted.
func (s *site) settle(ctx context.Context) error {
	if err := os.MkdirAll(s.home(), 0o700); err != nil {
		return err
	}
	if _, err := s.labctl(ctx, io.Discard, "up", s.b.lab, "--name", labName); err != nil {
		return err
	}
	if err := s.findHost(ctx); err != nil {
		return err
	}
	for name, path := range map[string]string{"labctl": s.b.labctl, "lab.hcl": s.b.lab} {
		if err := s.put(ctx, path, hostDir+"/"+name); err != nil {
			return err
		}
	}
	_, err := s.inside(ctx)
	return err
}

// put copies a file to the host.
func (s *site) put(ctx context.Context, path, to string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = s.on(ctx, file, "sh", "-c", `mkdir -p "$1" && cat >"$2" && chmod 755 "$2"`, "-", filepath.Dir(to), to)
	return err
}

// inside is an up on the host itself, from the same start and by the same owner as over SSH.
func (s *site) inside(ctx context.Context) (time.Duration, error) {
	if _, err := s.on(ctx, nil, "sh", "-c", clearing); err != nil {
		return 0, err
	}
	out, err := s.on(ctx, nil, "env", "HOME=/root", "LABCTL_HOME="+hostDir+"/state", "LABCTL_OWNER=bench",
		"sh", "-c", timing, "-", hostDir+"/labctl", "up", hostDir+"/lab.hcl", "--local", "--name", labName, "--events", "ndjson")
	if err != nil {
		return 0, err
	}
	said, nanoseconds := out[:strings.LastIndexByte(out, '\n')+1], out[strings.LastIndexByte(out, '\n')+1:]
	s.b.keepEvents("inside", []byte(said))
	took, err := strconv.ParseInt(nanoseconds, 10, 64)
	return time.Duration(took), err
}

// over is an up over SSH, with the host that far away.
func (s *site) over(ctx context.Context, away time.Duration) (time.Duration, error) {
	if _, err := s.on(ctx, nil, "sh", "-c", clearing); err != nil {
		return 0, err
	}
	s.line.away(away)
	s.line.taken()
	took, err := s.labctl(ctx, io.Discard, "up", s.b.lab, "--name", labName, "--events", "ndjson")
	s.b.note("ssh connections", float64(s.line.taken()))
	return took, err
}

func (s *site) roundInside(ctx context.Context) error {
	took, err := s.inside(ctx)
	s.b.note("inside up", took.Seconds())
	return err
}

func (s *site) roundFar(ctx context.Context) error {
	took, err := s.over(ctx, roundTrip)
	s.b.note("far up", took.Seconds())
	return err
}

// roundNear measures the second up as well.
func (s *site) roundNear(ctx context.Context) error {
	took, err := s.over(ctx, 0)
	if err != nil {
		return err
	}
	s.b.note("ssh up", took.Seconds())
	s.account.Heal() // forgets the calls
	took, err = s.labctl(ctx, io.Discard, "up", s.b.lab, "--name", labName, "--events", "ndjson")
	s.b.note("ssh second up", took.Seconds())
	s.b.note("ssh second connections", float64(s.line.taken()))
	s.b.note("ssh second changes", float64(len(s.account.Mutating())))
	return err
}

// overSSHFigures are the lines of the report.
func (b *bench) overSSHFigures() []figure {
	s := b.samples
	return []figure{
		summarize("up over SSH / up --local on the host", "ratio", paired(s["ssh up"], s["inside up"]), 1.1),
		summarize("up over SSH: 100 ms away, more than near", "s", differences(s["far up"], s["ssh up"]), 15),
		summarize("up over SSH", "s", s["ssh up"], 0),
		summarize("up --local on the host", "s", s["inside up"], 0),
		summarize("up over SSH, 100 ms away", "s", s["far up"], 0),
		counted("up over SSH: connections", s["ssh connections"], 1),
		summarize("second up over SSH", "s", s["ssh second up"], 3),
		counted("second up over SSH: connections", s["ssh second connections"], 1),
		counted("second up over SSH: AWS calls that change something", s["ssh second changes"], 0),
	}
}

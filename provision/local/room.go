package local

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/fault"
	"github.com/labctl/labctl/internal/untrusted"
)

// What one node takes, measured on running three-node clusters of Kubernetes 1.35.
const (
	diskPerNode = 900 << 20 // bytes of /var
	diskMargin  = 1 << 30   // bytes for the mirror and the pods
	// inotify instances of one node at rest: systemd, containerd, the kubelet and the control plane
	// each hold several. The kernel counts them per user, and all nodes run as the same one.
	inotifyPerNode = 25
	// inotify watches that the kubelet and containerd of one node hold.
	watchesPerNode = 2000
)

// CheckRoom measures, on the engine's host, whether the disk and the inotify limits suffice for the
// nodes of a new cluster. All that lacks is told at once, each with its cure.
func (e *Engine) CheckRoom(ctx context.Context) error {
	var lacking *multierror.Error
	if err := e.checkDisk(ctx); err != nil {
		lacking = multierror.Append(lacking, err)
	}
	if err := e.checkInotify(ctx); err != nil {
		lacking = multierror.Append(lacking, err)
	}
	if lacking != nil && len(lacking.Errors) == 1 {
		return lacking.Errors[0]
	}
	return lacking.ErrorOrNil()
}

func (e *Engine) checkDisk(ctx context.Context) error {
	info, err := e.Docker.Info(ctx)
	if err != nil {
		return err
	}
	out, err := e.read(ctx, "df", "-Pk", info.RootDir)
	if err != nil {
		return nil // the engine's disk is in a machine of its own (Docker Desktop): not ours to see
	}
	free, err := parseDF(out)
	if err != nil {
		return fmt.Errorf("measuring the free disk at %s: %w", info.RootDir, err)
	}
	need := int64(e.Nodes)*diskPerNode + diskMargin
	if free < need {
		return fault.New(fault.Refused, "%s has %s free, and %d nodes need %s", info.RootDir, gib(free), e.Nodes, gib(need)).
			WithNext("Free some disk there (`docker system df` shows what Docker holds), then run the same command again.")
	}
	return nil
}

// parseDF reads the available column of POSIX df output (1024-byte blocks) and returns bytes.
func parseDF(out string) (int64, error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(lines) < 2 || len(fields) < 6 {
		return 0, fmt.Errorf("df printed %q", out)
	}
	kib, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("df printed %q: %w", out, err)
	}
	return kib << 10, nil
}

func (e *Engine) checkInotify(ctx context.Context) error {
	var lacking *multierror.Error
	for _, limit := range []struct {
		name    string
		perNode int
		advice  int
	}{
		{"max_user_instances", inotifyPerNode, 512},
		{"max_user_watches", watchesPerNode, 524288},
	} {
		out, err := e.read(ctx, "cat", "/proc/sys/fs/inotify/"+limit.name)
		if err != nil {
			return nil // not Linux on this side
		}
		have, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			return fmt.Errorf("reading fs.inotify.%s: %w", limit.name, err)
		}
		if need := e.Nodes * limit.perNode; have < need {
			lacking = multierror.Append(lacking, fault.New(fault.Refused, "fs.inotify.%s is %d, and %d nodes need at least %d", limit.name, have, e.Nodes, need).
				WithNext("As root: sysctl fs.inotify.%s=%d (and in /etc/sysctl.d to keep it), then run the same command again.", limit.name, max(limit.advice, 2*need)))
		}
	}
	if lacking != nil && len(lacking.Errors) == 1 {
		return lacking.Errors[0]
	}
	return lacking.ErrorOrNil()
}

// readTimeout bounds a look at the host; a file system that hangs (NFS) is not waited for.
const readTimeout = 10 * time.Second

func (e *Engine) read(ctx context.Context, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	out := untrusted.NewBuffer(1<<20, "the output of "+argv[0])
	err := e.Docker.Runner.Run(ctx, docker.Command{Argv: argv, Stdout: out})
	return out.String(), err
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

package local

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision"
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
//
// Where the engine is on another machine than its commands (DOCKER_HOST, labctl in a container), what is free
// here says nothing: a container of the node image measures there. Without that image nothing is measured yet.
func (e *Engine) CheckRoom(ctx context.Context, image string) error {
	info, err := e.Docker.Info(ctx)
	if err != nil {
		return err
	}
	m := meter{engine: e, root: info.RootDir}
	if name, err := m.read(ctx, "uname", "-n"); err == nil && strings.TrimSpace(name) != info.Name {
		if image == "" {
			return nil
		}
		m.image, m.root = image, "/" // of a container: on the same disk
	}
	var lacking *multierror.Error
	if err := m.checkDisk(ctx); err != nil {
		lacking = multierror.Append(lacking, err)
	}
	if err := m.checkInotify(ctx); err != nil {
		lacking = multierror.Append(lacking, err)
	}
	if lacking != nil && len(lacking.Errors) == 1 {
		return lacking.Errors[0]
	}
	return lacking.ErrorOrNil()
}

// meter measures the engine's machine: by commands there, or by containers of an image.
type meter struct {
	engine *Engine
	image  string // "" where commands run on the engine's machine
	root   string // a directory on the disk that the engine uses
}

func (m meter) checkDisk(ctx context.Context) error {
	out, err := m.read(ctx, "df", "-Pk", m.root)
	if err != nil {
		return nil // the engine's disk is in a machine of its own (Docker Desktop): not ours to see
	}
	free, err := parseDF(out)
	if err != nil {
		return fmt.Errorf("measuring the free disk at %s: %w", m.root, err)
	}
	need := int64(m.engine.Nodes)*diskPerNode + diskMargin
	if free < need {
		return clierr.New(clierr.Refused, "%s has %s free, and %s %s", m.place(), gib(free), count.Do(m.engine.Nodes, "node", "needs", "need"), gib(need)).
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

func (m meter) checkInotify(ctx context.Context) error {
	var lacking *multierror.Error
	for _, limit := range []struct {
		name    string
		perNode int
		advice  int
	}{
		{"max_user_instances", inotifyPerNode, 512},
		{"max_user_watches", watchesPerNode, 524288},
	} {
		out, err := m.read(ctx, "cat", "/proc/sys/fs/inotify/"+limit.name)
		if err != nil {
			return nil // not Linux on this side
		}
		have, err := strconv.Atoi(strings.TrimSpace(out))
		if err != nil {
			return fmt.Errorf("reading fs.inotify.%s: %w", limit.name, err)
		}
		if need := m.engine.Nodes * limit.perNode; have < need {
			lacking = multierror.Append(lacking, clierr.New(clierr.Refused, "fs.inotify.%s is %d, and %s at least %d", limit.name, have, count.Do(m.engine.Nodes, "node", "needs", "need"), need).
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

// place names the disk for people.
func (m meter) place() string {
	if m.image != "" {
		return "the engine's disk"
	}
	return m.root
}

func (m meter) read(ctx context.Context, argv ...string) (string, error) {
	if m.image != "" {
		args := append([]string{"run", "--rm", "--network", "none"}, provision.Flags(m.engine.Ownership.Labels())...)
		args = append(args, "--entrypoint", argv[0], m.image)
		return m.engine.Docker.Change(ctx, state.Act{Verb: "docker run", Object: m.image, Addr: m.engine.Addr(), Detail: argv[0]}, nil, append(args, argv[1:]...)...)
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	out := untrusted.NewBuffer(1<<20, "the output of "+argv[0])
	err := m.engine.Docker.Runner.Run(ctx, command.Command{Argv: argv, Stdout: out})
	return out.String(), err
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

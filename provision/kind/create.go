package kind

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/relay"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/provision"
)

// usual is how long kind's steps take on a 2-core machine with the images present.
var usual = map[string]time.Duration{
	"Preparing nodes":         10 * time.Second,
	"Writing configuration":   time.Second,
	"Starting control-plane":  10 * time.Second,
	"Installing CNI":          time.Second,
	"Installing StorageClass": time.Second,
	"Joining worker nodes":    7 * time.Second,
}

// create makes the cluster. It announces `nodes` when the node containers run and `api` as soon as
// the API server takes objects, which is well before kind is done.
func (c *Cluster) create(ctx context.Context, sink event.Sink) error {
	ctx, cancel := context.WithTimeoutCause(ctx, createTimeout, fmt.Errorf("kind did not finish within %s", count.Duration(createTimeout)))
	defer cancel()
	info, err := c.Engine.Info(ctx)
	if err != nil {
		return err
	}
	if err := c.pull(ctx, sink); err != nil {
		return err
	}
	version := c.image.version
	if !state.IsKubernetesVersion(version) { // the label of whoever made the image
		version = c.Spec.Kubernetes
	}
	config, err := kindConfig(c.Spec, c.apiPort(), info.CgroupVersion, version, c.image.name)
	if err != nil {
		return err
	}
	if err := c.Engine.RemoveDuplicateNetworks(ctx, c.Addr(), Network); err != nil {
		return fmt.Errorf("removing an empty duplicate of the docker network %s: %w", Network, err)
	}
	c.forget()
	c.State.Cluster = state.ClusterState{Name: c.Spec.Name, Image: c.image.name, ImageID: c.image.id, Kubernetes: version, APIPort: c.apiPort()}
	if err := c.Files.Save(c.State); err != nil {
		return err
	}
	told, withheld, configured := c.nodeProxy(ctx, info)
	if withheld != "" {
		sink.Emit(event.Notice{Addr: c.Addr(), Text: "the nodes are not told of the proxy: " + withheld + "; they get their images from the mirror alone"})
	}
	proxies := ""
	switch {
	case told.set():
		proxies = proxiesOfKind
	case configured:
		proxies = noProxies
	}
	child, err := c.startChild(ctx, told, proxies, request{Config: config, Kubeconfig: c.Files.Path("kind-kubeconfig")})
	if err != nil {
		return err
	}
	api := make(chan error, 1)
	watching := false
	ended := child.follow(func(r report) {
		switch {
		case r.Warn != "":
			sink.Emit(event.Notice{Addr: c.Addr(), Text: r.Warn})
		case r.Step != "" && !r.Ended:
			sink.Emit(event.Progress{Addr: c.Addr(), Step: r.Step, Expect: usual[r.Step]})
		case r.Ended && r.Step == "Preparing nodes":
			sink.Emit(event.Milestone{Addr: c.Addr(), Name: provision.MilestoneNodes})
		}
		if r.Step == "Starting control-plane" && !watching {
			watching = true
			go func() {
				err := c.awaitAPI(ctx, createTimeout)
				if err == nil {
					sink.Emit(event.Milestone{Addr: c.Addr(), Name: provision.MilestoneAPI})
				}
				api <- err
			}()
		}
	})
	_ = os.Remove(c.Files.Path("kind-kubeconfig")) // ours is made from the node's own
	if ended != nil {
		cancel()
		if watching {
			<-api
		}
		return ended
	}
	if !watching {
		return errors.New("kind returned without starting a control plane")
	}
	if err := <-api; err != nil {
		return err
	}
	// From here on it is no interrupted creation any more, which may be thrown away.
	c.State.Cluster.Created = true
	return c.Files.Save(c.State)
}

// pull gets the node image when the engine does not have it. kind would do it too, without a word.
func (c *Cluster) pull(ctx context.Context, sink event.Sink) error {
	if c.image.id != "" {
		return nil
	}
	sink.Emit(event.Progress{Addr: c.Addr(), Step: "pulling " + c.image.name, Expect: time.Minute})
	if err := c.Engine.Pull(ctx, c.Addr(), c.image.name, pullTimeout); err != nil {
		return notRecorded(noRegistry(c.image.name, err), c.image.unrecorded)
	}
	pulled, _, err := c.Engine.Image(ctx, c.image.name)
	c.image.id = pulled.ID
	return err
}

// apiPort is the port of the API server on the loopback of the engine's host; 0: kind picks a free
// one, which it can only do on this machine.
func (c *Cluster) apiPort() int {
	if c.Spec.APIPort == 0 && c.Dial != nil {
		return 6443
	}
	return c.Spec.APIPort
}

// serveRelay lets kind's child run docker on another host, through the connection that this process
// has. On this machine it does nothing. The socket goes with ctx; it lies in a directory of its own,
// because the path of a unix socket may have 107 bytes and labctl's home may be anywhere.
func (c *Cluster) serveRelay(ctx context.Context) (socket string, err error) {
	if c.Dial == nil {
		return "", nil
	}
	dir, err := os.MkdirTemp("", "labctl-")
	if err != nil {
		return "", err
	}
	socket = filepath.Join(dir, "relay")
	l, err := net.Listen("unix", socket)
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("listening for kind's commands: %w", err)
	}
	go func() {
		defer os.RemoveAll(dir)
		_ = relay.Serve(ctx, l, c.Engine.Runner) // ends with ctx; a broken socket shows in kind's commands
	}()
	return socket, nil
}

// child is kind's process.
type child struct {
	ctx    context.Context
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout io.Reader
	stderr *untrusted.Tail
}

// startChild runs kind in a process group of its own, with labctl as its docker and with the lab's
// lock, so that nobody else can begin while anything of it lives.
func (c *Cluster) startChild(ctx context.Context, told proxy, proxies string, req request) (*child, error) {
	bin, cache := c.Files.Path("bin"), c.Files.Path("answers")
	for _, dir := range []string{bin, cache} {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.Symlink(c.Binary, filepath.Join(bin, "docker")); err != nil {
		return nil, err
	}
	socket, err := c.serveRelay(ctx)
	if err != nil {
		return nil, err
	}
	instructions, err := json.Marshal(DockerShim{Docker: c.Docker, Relay: socket, Labels: c.labels(), Addr: c.Addr(), Cache: cache, Home: c.Home, Lab: c.Ownership.Lab, Proxies: proxies})
	if err != nil {
		return nil, err
	}
	if err := c.Files.WriteFile("shim.json", instructions); err != nil {
		return nil, err
	}
	cmd := exec.Command(c.Binary, ChildCommand)
	cmd.Env = told.environ(c.childEnv(bin))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.Lock != nil {
		cmd.ExtraFiles = []*os.File{c.Lock.File()}
	}
	ch := &child{ctx: ctx, cmd: cmd, stderr: untrusted.NewTail(maxSaid)}
	cmd.Stderr = ch.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	ch.stdin = stdin
	if ch.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting kind: %w", err)
	}
	line, err := json.Marshal(req)
	if err == nil {
		_, err = stdin.Write(append(line, '\n'))
	}
	if err != nil {
		ch.kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("starting kind: %w", err)
	}
	return ch, nil
}

func (ch *child) kill() { _ = syscall.Kill(-ch.cmd.Process.Pid, syscall.SIGKILL) }

// readReports hands every report on until there are no more, and returns the error among them and the step that
// was begun last. A line that is no report is passed over.
func readReports(from io.Reader, heard func(report)) (failure, last string) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20) // a report is far shorter, see maxSaid
	for lines.Scan() {
		var r report
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		if r.Error != "" {
			failure = r.Error
			continue
		}
		if r.Step != "" {
			last = r.Step
		}
		heard(r)
	}
	return failure, last
}

// follow hands every report on and returns when the child and all of its group have ended. When the
// context ends, the group is killed.
func (ch *child) follow(heard func(report)) error {
	stop := context.AfterFunc(ch.ctx, ch.kill)
	defer stop()
	failure, last := readReports(ch.stdout, heard)
	// Its output has ended, so the child has. Whatever it started and left behind goes now, while the
	// child's number cannot have become another group's.
	ch.kill()
	err := ch.cmd.Wait()
	_ = ch.stdin.Close()
	switch {
	case ch.ctx.Err() != nil:
		return context.Cause(ch.ctx)
	case failure != "":
		return fmt.Errorf("kind failed at %q: %s", last, failure)
	case err != nil:
		return fmt.Errorf("kind failed at %q: %w: %s", last, err, ch.stderr)
	}
	return nil
}

// childEnv is the user's environment with labctl as docker, and without what would lead kind
// elsewhere.
func (c *Cluster) childEnv(bin string) []string {
	var env []string
	path := ""
	for _, kv := range c.Env {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "PATH":
			path = value
		case name == "KUBECONFIG", name == "KIND_EXPERIMENTAL_PROVIDER", name == "KIND_EXPERIMENTAL_DOCKER_NETWORK", name == DockerShimEnv:
		default:
			env = append(env, kv)
		}
	}
	return append(env, "PATH="+bin+string(os.PathListSeparator)+path, DockerShimEnv+"="+c.Files.Path("shim.json"))
}

func (c *Cluster) labels() []string {
	return c.Ownership.Labels(provision.LabelCluster + "=" + c.Spec.Name)
}

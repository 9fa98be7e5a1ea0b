package kind

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// oneNode is an engine with the control plane in some state; "" is without any.
type oneNode struct{ state string }

func (n oneNode) Run(_ context.Context, c command.Command) error {
	line := strings.Join(c.Argv[1:], " ")
	switch {
	case n.state == "no engine":
		return &command.ExitError{Argv: c.Argv, Code: 1, Stderr: "Cannot connect to the Docker daemon"}
	case strings.HasPrefix(line, "ps") && n.state != "":
		fmt.Fprintf(c.Stdout, `{"id":"1","name":"c-control-plane","image":"i","state":%q,"labels":"%s=day10,%s=jane"}`+"\n", n.state, provision.LabelLab, provision.LabelOwner)
	case strings.HasPrefix(line, "inspect") && strings.Contains(line, "FinishedAt"):
		_, _ = io.WriteString(c.Stdout, time.Date(2026, 11, 26, 13, 5, 0, 0, time.Local).Format(time.RFC3339Nano)+"\n")
	case strings.HasPrefix(line, "inspect"):
		_, _ = io.WriteString(c.Stdout, time.Date(2026, 11, 26, 12, 0, 0, 0, time.Local).Format(time.RFC3339Nano)+"\n")
	}
	return nil
}

func TestWhyTheAPIDoesNotAnswer(t *testing.T) {
	refused := &kube.AwayError{Server: "127.0.0.1:1", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	for engine, want := range map[string][2]string{
		"exited":    {"(connection refused): its node c-control-plane is stopped since 2026-11-26 13:05", "`labctl start` brings it back."},
		"created":   {"its node c-control-plane is stopped", "`labctl start`"},
		"paused":    {"its node c-control-plane is paused", "`docker unpause c-control-plane`"},
		"running":   {"though its node c-control-plane is running since 2026-11-26 12:00", "`labctl up embedded:labs/day10.hcl --local` waits for it"},
		"":          {"its node c-control-plane does not exist", "`labctl status day10`"},
		"no engine": {"nor does the Docker engine", "Start the Docker engine"},
	} {
		c := &Cluster{
			Spec: &labfile.Cluster{Name: "c", Nodes: nodes("control-plane")}, Ownership: provision.Ownership{Lab: "day10", Owner: "jane"},
			Engine: &docker.Engine{Runner: oneNode{engine}}, State: &state.State{File: "embedded:labs/day10.hcl", Local: true},
		}
		err := c.Unanswered(t.Context(), fmt.Errorf("listing pods: %w", refused))
		if clierr.ClassOf(err) != clierr.Unknown || !strings.HasPrefix(err.Error(), "the API server of lab day10 does not answer (connection refused)") ||
			!strings.Contains(err.Error(), want[0]) || !strings.Contains(clierr.NextOf(err), want[1]) {
			t.Errorf("%s: %v\nnext: %s", engine, err, clierr.NextOf(err))
		}
	}
}

func TestNothingListensIsSaidAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	files := state.Home{Dir: t.TempDir()}.Lab("day10")
	admin := kubetest.NewAdmin(t)
	kubeconfig, err := ownKubeconfig([]byte(admin.Conf("https://x:1", "", "")), "https://"+l.Addr().String(), "kind-c")
	if err != nil {
		t.Fatal(err)
	}
	if err := files.WriteFile(state.KubeconfigFile, kubeconfig); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{
		Spec: &labfile.Cluster{Name: "c", Nodes: nodes("control-plane")}, Ownership: provision.Ownership{Lab: "day10", Owner: "jane"},
		Engine: &docker.Engine{Runner: oneNode{"exited"}}, State: &state.State{}, Files: files,
	}
	began := time.Now()
	err = c.Answers(t.Context())
	if clierr.ClassOf(err) != clierr.Unknown || !strings.Contains(clierr.NextOf(err), "labctl start") || time.Since(began) > probeTimeout/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	c.Engine.Runner = oneNode{"running"}
	if seen, err := c.Observe(t.Context()); err != nil || seen.State != provision.Partial || seen.Reason != "the API does not answer: connection refused" {
		t.Errorf("observed %+v, %v", seen, err)
	}
}

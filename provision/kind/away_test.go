package kind

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/docker/dockertest"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

// oneNode is an engine with the control plane of day10 in some state; "" is without any.
func oneNode(state string) *docker.Engine {
	d := dockertest.New()
	d.Away = state == "no engine"
	if state != "" {
		noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.Local)
		d.Add(dockertest.Container{
			Name: "c-control-plane", State: state, Started: noon, Ended: noon.Add(65 * time.Minute),
			Labels: map[string]string{labelKindCluster: "c", provision.LabelLab: "day10", provision.LabelOwner: "jane"},
		})
	}
	return &docker.Engine{Runner: d}
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
			Engine: oneNode(engine), State: &state.State{File: "embedded:labs/day10.hcl", Local: true},
		}
		err := c.Unanswered(t.Context(), fmt.Errorf("listing pods: %w", refused))
		if clierr.ClassOf(err) != clierr.Inconclusive || !strings.HasPrefix(err.Error(), "the API server of lab day10 does not answer (connection refused)") ||
			!strings.Contains(err.Error(), want[0]) || !strings.Contains(clierr.NextOf(err), want[1]) {
			t.Errorf("%s: %v\nnext: %s", engine, err, clierr.NextOf(err))
		}
	}
}

func TestNothingListensIsSaidAtOnce(t *testing.T) {
	files := state.Home{Dir: t.TempDir()}.Lab("day10")
	admin := kubetest.NewAdmin(t)
	kubeconfig, err := ownKubeconfig([]byte(admin.Conf("https://x:1", "", "")), "https://127.0.0.1:1", "kind-c")
	if err != nil {
		t.Fatal(err)
	}
	if err := files.WriteFile(state.KubeconfigFile, kubeconfig); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{
		Spec: &labfile.Cluster{Name: "c", Nodes: nodes("control-plane")}, Ownership: provision.Ownership{Lab: "day10", Owner: "jane"},
		Engine: oneNode("exited"), State: &state.State{}, Files: files,
	}
	dials := 0
	c.Dial = func(context.Context, string, string) (net.Conn, error) {
		dials++
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	err = c.Answers(t.Context())
	if clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(clierr.NextOf(err), "labctl start") || dials != 1 {
		t.Errorf("after %d attempts: %v", dials, err)
	}
	c.Engine = oneNode("running")
	if seen, err := c.Observe(t.Context()); err != nil || seen.State != provision.Partial || seen.Reason != "the API does not answer: connection refused" {
		t.Errorf("observed %+v, %v", seen, err)
	}
}

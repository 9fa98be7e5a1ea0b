//go:build e2e

package hypervisor_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
)

// TestProvision: labctl's own host, with labctl's own user-data, goes through its life on a machine that
// really boots.
func TestProvision(t *testing.T) {
	s := open(t, hypervisor.Config{Preload: []string{substituteImage}})
	proxy := faultproxy.Start(server.URL, faultproxy.Options{Console: s.Console, Address: hypervisor.Address, Pending: time.Second, Stopping: 3 * time.Second, ShuttingDown: 2 * time.Second})
	defer proxy.Close()
	h, connect := s.host(proxy.URL())
	steps := logged{t}

	began := time.Now()
	must(t, h.Preflight(t.Context()))
	must(t, h.Apply(t.Context(), steps))
	t.Logf("the host is up after %s", since(began))
	id := h.State.InstanceID
	if o, err := h.Observe(t.Context()); err != nil || o.State != provision.Current {
		t.Errorf("after up: %+v, %v; want current", o, err)
	}
	conn := connect()
	if out := output(t, conn, "docker", "run", "--rm", substituteImage, "echo", "from inside"); out != "from inside\n" {
		t.Errorf("a container says %q", out)
	}
	if out := output(t, conn, "sudo", "cloud-init", "status", "--wait"); !strings.Contains(out, "status: done") {
		t.Errorf("cloud-init: %s\n%s", out, s.Console(id))
	}
	if out := output(t, conn, "systemctl", "--failed", "--no-legend", "--plain"); out != "" {
		t.Errorf("failed units:\n%s", out)
	}
	output(t, conn, "sh", "-c", "docker volume create kept && sync")

	began = time.Now()
	must(t, h.Stop(t.Context(), steps))
	t.Logf("the host is stopped after %s", since(began))
	began = time.Now()
	must(t, h.Start(t.Context(), steps))
	t.Logf("and up again after %s", since(began))
	if h.State.InstanceID != id {
		t.Errorf("another instance was started: %s, it was %s", h.State.InstanceID, id)
	}
	if out := output(t, connect(), "docker", "volume", "ls", "-q", "--filter", "name=kept"); out != "kept\n" {
		t.Errorf("after the stop there are volumes %q", out)
	}

	// Its time is up: it ends itself, whatever labctl does.
	began = time.Now()
	output(t, connect(), "sudo", "/usr/local/sbin/labctl-host", "extend", fmt.Sprint(time.Now().Add(3*time.Second).Unix()))
	s.untilAPI(id, types.InstanceStateNameTerminated)
	s.untilState(id, "absent")
	t.Logf("it has ended itself %s after an expiry in 3 s was set", since(began))

	must(t, h.Destroy(t.Context(), steps))
	groups, err := s.ec2.DescribeSecurityGroups(t.Context(), &sdk.DescribeSecurityGroupsInput{})
	must(t, err)
	if slices.ContainsFunc(groups.SecurityGroups, func(g types.SecurityGroup) bool { return aws.ToString(g.GroupName) != "default" }) {
		t.Errorf("security groups are left: %+v", groups.SecurityGroups)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logged shows what labctl would show.
type logged struct{ t *testing.T }

func (l logged) Emit(e event.Event) { l.t.Logf("%T %+v", e, e) }

// host is labctl's resource, reached as labctl reaches it. connect returns the connection that is open, or
// a new one.
func (s *site) host(endpoint string) (h *ec2.Host, connect func() *ssh.Conn) {
	s.Helper()
	client, err := ec2.NewClient(s.Context(), ec2.ClientOptions{Region: region, Load: []func(*config.LoadOptions) error{
		config.WithBaseEndpoint(endpoint), config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")),
	}})
	must(s.T, err)
	journal, err := state.Home{Dir: s.TempDir()}.Lab("hypervised").OpenJournal()
	must(s.T, err)
	spec := &labfile.Host{Type: "ec2", Name: "bench", Region: region, InstanceTypes: []string{"t3.large"}, Image: "debian-12", DiskGiB: 30}
	h = ec2.NewHost(spec, provision.Ownership{Lab: "hypervised", Owner: "arn:aws:iam::123456789012:user/jane"}, client, journal, nil)
	h.TTL, h.PublicKey = time.Hour, s.public
	h.SSHFrom = func(context.Context) ([]netip.Prefix, string, error) {
		return []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}, "", nil
	}
	var open *ssh.Conn
	dial := func(ctx context.Context, to ec2.Endpoint) (*ssh.Conn, error) {
		if open != nil {
			select {
			case <-open.Done():
			default:
				return open, nil
			}
		}
		open, err = ssh.Dial(ctx, ssh.Config{Address: to.Address, User: to.User, PrivateKey: s.private, HostKey: to.HostKey, Timeout: 5 * time.Second})
		return open, err
	}
	h.Connect = func(ctx context.Context, to ec2.Endpoint) (command.Runner, ec2.Dial, error) {
		conn, err := dial(ctx, to)
		if err != nil {
			return nil, nil, err
		}
		return conn, conn.DialContext, nil
	}
	s.Cleanup(func() {
		if open != nil {
			open.Close()
		}
	})
	return h, func() *ssh.Conn {
		s.Helper()
		conn, err := dial(s.Context(), h.Endpoint())
		must(s.T, err)
		return conn
	}
}

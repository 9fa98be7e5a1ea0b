//go:build e2e

package hypervisor_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/ssh"
)

// The image of moto's that the tests launch from.
const ami = "ami-0deb12000000000a2"

// site is a hypervisor in an account of its own, and a user who launches instances.
type site struct {
	*testing.T
	*hypervisor.Hypervisor
	ec2     *sdk.Client
	private ssh.PrivateKey
	public  string
	began   time.Time
}

// open starts a hypervisor. At the end of the test nothing of it must be left.
func open(t *testing.T, config hypervisor.Config) *site {
	t.Helper()
	if err := server.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, ec2: api(server.URL), began: time.Now()}
	var err error
	if s.private, s.public, err = ssh.GenerateKey(); err != nil {
		t.Fatal(err)
	}
	config.Endpoint, config.Regions, config.Engine, config.Log = server.URL, []string{region}, local, t.Logf
	if s.Hypervisor, err = hypervisor.Start(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Logf("the hypervisor is ready after %s", since(s.began))
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing: %v", err)
		}
		if left := remains(t, os.Getpid()); left != "" {
			t.Errorf("left on the engine:\n%s", left)
		}
	})
	return s
}

func api(endpoint string) *sdk.Client {
	return sdk.New(sdk.Options{Region: region, BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

func since(began time.Time) time.Duration { return time.Since(began).Round(10 * time.Millisecond) }

// remains lists what the hypervisors of a process have on the engine, and the network when nobody's machine
// needs it.
func remains(t *testing.T, pid int) string {
	t.Helper()
	var left strings.Builder
	machines := false
	for _, kind := range []struct{ what, list string }{{"container {{.Names}}", "ps --all"}, {"volume {{.Name}}", "volume ls"}, {"network {{.Name}}", "network ls"}} {
		argv := append([]string{"docker"}, strings.Fields(kind.list)...)
		out, err := try(context.Background(), local, append(argv, "--filter", "label=labctl.ec2", "--format", `{{.Label "labctl.ec2.owner"}} `+kind.what)...)
		if err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(out) {
			owner, what, _ := strings.Cut(line, " ")
			machines = machines || strings.HasPrefix(what, "container")
			if strings.HasPrefix(owner, fmt.Sprint(pid)+"-") || strings.HasPrefix(what, "network") && !machines {
				left.WriteString(what)
			}
		}
	}
	return left.String()
}

// output runs a command, which has to succeed, and returns what it printed.
func output(t *testing.T, on command.Runner, argv ...string) string {
	t.Helper()
	out, err := try(t.Context(), on, argv...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func try(ctx context.Context, on command.Runner, argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err := on.Run(ctx, command.Command{Argv: argv, Stdout: &out})
	return out.String(), err
}

// userData lets the site's user in and announces the host key; more is added to it.
func (s *site) userData(more string) string {
	return fmt.Sprintf(`#cloud-config
disable_root: true
ssh_genkeytypes: [ed25519]
ssh_authorized_keys: ["%s"]
bootcmd:
  - [sh, -c, 'echo boot >>/etc/boots']
runcmd:
  - [sh, -c, 'echo once >>/etc/launches']
  - [sh, -c, 'echo "HOSTKEY $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >/dev/console']
%s`, s.public, more)
}

// launch runs one instance.
func (s *site) launch(behaviour types.ShutdownBehavior, userData string) string {
	s.Helper()
	out, err := s.ec2.RunInstances(s.Context(), &sdk.RunInstancesInput{
		ImageId: aws.String(ami), InstanceType: types.InstanceTypeT3Large, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		InstanceInitiatedShutdownBehavior: behaviour, UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(userData))),
	})
	if err != nil {
		s.Fatal(err)
	}
	return aws.ToString(out.Instances[0].InstanceId)
}

// instance is what the API shows.
func (s *site) instance(id string) types.Instance {
	s.Helper()
	out, err := s.ec2.DescribeInstances(s.Context(), &sdk.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		s.Fatal(err)
	}
	return out.Reservations[0].Instances[0]
}

// until waits for something to hold of a machine.
func (s *site) until(id, what string, holds func(hypervisor.Machine) bool) hypervisor.Machine {
	s.Helper()
	var last hypervisor.Machine
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var err error
		if last, err = s.Machine(id); err == nil && holds(last) {
			return last
		}
	}
	s.Fatalf("%s is not %s after a minute: %+v\n%s", id, what, last, s.Console(id))
	return last
}

func (s *site) untilState(id, state string) {
	s.Helper()
	s.until(id, state, func(m hypervisor.Machine) bool { return m.State == state })
}

var announced = regexp.MustCompile(`HOSTKEY (ssh-ed25519 [A-Za-z0-9+/]{68})[ \r\n]`)

// hostKey waits for the key on the console.
func (s *site) hostKey(id string) (key string) {
	s.Helper()
	s.until(id, "announcing its key", func(hypervisor.Machine) bool {
		found := announced.FindStringSubmatch(s.Console(id))
		if found != nil {
			key = found[1]
		}
		return found != nil
	})
	return key
}

// login connects to the address that the API shows.
func (s *site) login(id, user, hostKey string) *ssh.Conn {
	s.Helper()
	cfg := ssh.Config{
		Address: hypervisor.Address(aws.ToString(s.instance(id).PublicIpAddress)), User: user, PrivateKey: s.private, HostKey: hostKey, Timeout: 5 * time.Second,
	}
	conn, err := ssh.Dial(s.Context(), cfg)
	for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); conn, err = ssh.Dial(s.Context(), cfg) {
		time.Sleep(200 * time.Millisecond)
	}
	if err != nil {
		s.Fatalf("%v\n%s", err, s.Console(id))
	}
	s.Cleanup(func() { conn.Close() })
	return conn
}

// silent checks that nothing takes connections at an address.
func silent(t *testing.T, address string) {
	t.Helper()
	if conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, "22"), time.Second); err == nil {
		conn.Close()
		t.Errorf("something still answers at %s", address)
	}
}

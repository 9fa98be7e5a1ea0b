//go:build e2e

package life_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/internal/command"
)

// region is that of labs/day10.hcl.
const region = "ap-south-2"

// site is an account with machines that boot, and a user with a laptop.
type site struct {
	*testing.T
	*hypervisor.Hypervisor
	proxy  *faultproxy.Proxy
	truth  *sdk.Client // past the proxy
	home   string      // of the user, and LABCTL_HOME in it
	before []string    // what the account held
	said   bytes.Buffer
	argv   *watcher
}

// open gives the test an account of its own. At the end nothing may be left in it.
func open(t *testing.T) *site {
	t.Helper()
	if err := server.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, home: t.TempDir(), truth: sdk.New(sdk.Options{
		Region: region, BaseEndpoint: aws.String(server.URL), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
	began := time.Now()
	var err error
	s.Hypervisor, err = hypervisor.Start(t.Context(), hypervisor.Config{Endpoint: server.URL, Regions: []string{region}, Engine: machine, Preload: preloaded, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the hypervisor is ready after %s", since(began))
	s.proxy = faultproxy.Start(server.URL, faultproxy.Options{
		Console: s.Console, Address: hypervisor.Address, Pending: time.Second, Stopping: 2 * time.Second, ShuttingDown: 2 * time.Second,
	})
	s.before = s.inventory()
	s.argv = watch()
	t.Cleanup(func() {
		s.argv.stop()
		s.proxy.Close()
		if after := s.inventory(); !slices.Equal(after, s.before) && !t.Failed() {
			t.Errorf("the account holds\n  %s\nand held before\n  %s", strings.Join(after, "\n  "), strings.Join(s.before, "\n  "))
		}
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing the hypervisor: %v", err)
		}
	})
	return s
}

func since(began time.Time) time.Duration { return time.Since(began).Round(10 * time.Millisecond) }

// environ is the user's environment. Nothing of whoever runs the tests may reach AWS.
func (s *site) environ() []string {
	var env []string
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "LABCTL_") && name != "DOCKER_HOST" && name != "HOME" {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+s.home, "LABCTL_HOME="+s.state(), "DOCKER_HOST=unix:///nonexistent/docker.sock", "LABCTL_SSH_FROM=172.29.255.254/32",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL="+s.proxy.URL(),
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_REGION="+region)
}

// state is LABCTL_HOME.
func (s *site) state() string { return filepath.Join(s.home, "state") }

// outcome is one run of labctl.
type outcome struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

// labctl runs labctl and returns what came of it.
func (s *site) labctl(args ...string) outcome {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 8*time.Minute)
	defer cancel()
	return s.finish(s.command(ctx, args...))
}

func (s *site) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = s.home, s.environ()
	return cmd
}

func (s *site) finish(cmd *exec.Cmd) outcome {
	s.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	r := outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(began)}
	fmt.Fprintf(&s.said, "$ %s\n%s%s", strings.Join(cmd.Args, " "), r.stdout, r.stderr)
	return r
}

// does runs labctl, which has to exit with that code.
func (s *site) does(code int, args ...string) outcome {
	s.Helper()
	r := s.labctl(args...)
	if r.code != code {
		s.Fatalf("labctl %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	s.Logf("labctl %s: %d after %s", strings.Join(args, " "), r.code, r.took.Round(10*time.Millisecond))
	return r
}

// says checks that words stand in a text.
func (s *site) says(text string, words ...string) {
	s.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.Errorf("%q is not said in\n%s", w, text)
		}
	}
}

// read decodes a result in JSON.
func read[T any](s *site, text string) (into T) {
	s.Helper()
	if err := json.Unmarshal([]byte(text), &into); err != nil {
		s.Fatalf("%v in\n%s", err, text)
	}
	return into
}

// inventory lists everything in the region that could cost money or stand in somebody's way.
func (s *site) inventory() []string {
	s.Helper()
	ctx := context.Background()
	all := []string{}
	add := func(err error, what string, ids ...*string) {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
		for _, id := range ids {
			all = append(all, what+" "+aws.ToString(id))
		}
	}
	for _, i := range s.instances() {
		add(nil, "instance", i.InstanceId)
	}
	volumes, err := s.truth.DescribeVolumes(ctx, &sdk.DescribeVolumesInput{})
	add(err, "")
	for _, v := range volumes.Volumes {
		add(nil, "volume", v.VolumeId)
	}
	interfaces, err := s.truth.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{})
	add(err, "")
	for _, n := range interfaces.NetworkInterfaces {
		add(nil, "network interface", n.NetworkInterfaceId)
	}
	groups, err := s.truth.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{})
	add(err, "")
	for _, g := range groups.SecurityGroups {
		add(nil, "security group", g.GroupId)
	}
	keys, err := s.truth.DescribeKeyPairs(ctx, &sdk.DescribeKeyPairsInput{})
	add(err, "")
	for _, k := range keys.KeyPairs {
		add(nil, "key pair", k.KeyPairId)
	}
	addresses, err := s.truth.DescribeAddresses(ctx, &sdk.DescribeAddressesInput{})
	add(err, "")
	for _, a := range addresses.Addresses {
		add(nil, "address", a.PublicIp)
	}
	snapshots, err := s.truth.DescribeSnapshots(ctx, &sdk.DescribeSnapshotsInput{OwnerIds: []string{"self"}})
	add(err, "")
	for _, snapshot := range snapshots.Snapshots {
		add(nil, "snapshot", snapshot.SnapshotId)
	}
	slices.Sort(all)
	return all
}

// instances lists those that have not ended.
func (s *site) instances() []types.Instance {
	s.Helper()
	out, err := s.truth.DescribeInstances(context.Background(), &sdk.DescribeInstancesInput{})
	if err != nil {
		s.Fatal(err)
	}
	var all []types.Instance
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			if i.State.Name != types.InstanceStateNameTerminated {
				all = append(all, i)
			}
		}
	}
	return all
}

// one is the id of the only instance.
func (s *site) one() string {
	s.Helper()
	all := s.instances()
	if len(all) != 1 {
		s.Fatalf("%d instances are there; want one", len(all))
	}
	return aws.ToString(all[0].InstanceId)
}

// on runs a command on a machine, as root and without SSH.
func (s *site) on(id string, argv ...string) string {
	s.Helper()
	var out bytes.Buffer
	if err := s.Hypervisor.Run(s.Context(), id, command.Command{Argv: argv, Stdout: &out}); err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(out.String())
}

// logins counts the SSH connections that a machine has accepted since it was switched on.
func (s *site) logins(id string) int {
	s.Helper()
	n, err := strconv.Atoi(s.on(id, "sh", "-c", "journalctl --boot --unit ssh --output cat | grep -c ^Accepted || true"))
	if err != nil {
		s.Fatal(err)
	}
	return n
}

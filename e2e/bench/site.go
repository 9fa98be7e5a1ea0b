package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/labctl/labctl/e2e/ec2/faultproxy"
	"github.com/labctl/labctl/e2e/ec2/hypervisor"
	"github.com/labctl/labctl/e2e/ec2/moto"
	"github.com/labctl/labctl/images"
	"github.com/labctl/labctl/internal/command"
)

// sshd is where labctl finds the host's sshd: the line's end on this side.
const sshd = "127.0.77.1"

// region is that of labs/day10.hcl.
const region = "ap-south-2"

// site is an account with a machine that boots, a line to it, and a user with a laptop.
type site struct {
	b       *bench
	server  *moto.Server
	machine *hypervisor.Hypervisor
	account *faultproxy.Proxy
	line    *line
	host    string // the instance's id
}

// openSite starts what stands in for AWS. What it has started before an error is ended.
func (b *bench) openSite(ctx context.Context) (*site, error) {
	s := &site{b: b}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

func (s *site) start(ctx context.Context) error {
	path, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	if s.server, err = moto.Start(ctx); err != nil {
		return err
	}
	node, err := s.b.output(ctx, "docker", "images", "--filter", "label="+nodeFrom, "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	node, _, _ = strings.Cut(node, "\n")
	if s.machine, err = hypervisor.Start(ctx, hypervisor.Config{
		Endpoint: s.server.URL, Regions: []string{region}, Engine: command.Local{Docker: path, Env: os.Environ()},
		Preload: append(images.Names(), node),
		Poll:    time.Second, // looking takes time from what is measured
	}); err != nil {
		return err
	}
	if s.line, err = openLine(sshd + ":22"); err != nil {
		return err
	}
	s.account = faultproxy.Start(s.server.URL, faultproxy.Options{Console: s.machine.Console, Address: func(public string) string {
		s.line.lead(hypervisor.Address(public) + ":22")
		return sshd
	}})
	return nil
}

// close ends everything: the machine too, whatever became of the lab on it.
func (s *site) close(ctx context.Context) error {
	if s.account != nil {
		s.account.Close()
	}
	if s.line != nil {
		s.line.Close()
	}
	var err error
	if s.machine != nil {
		err = s.machine.Close(ctx)
	}
	if s.server != nil {
		s.server.Stop()
	}
	return err
}

// home is the user's; nothing of whoever runs the bench may reach AWS.
func (s *site) home() string { return filepath.Join(s.b.dir, "laptop") }

// labctl runs labctl on the laptop, which has no engine. Its events are kept where -events says.
func (s *site) labctl(ctx context.Context, stdout io.Writer, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, s.b.labctl, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "LABCTL_") && name != "DOCKER_HOST" && name != "HOME" {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "HOME="+s.home(), "LABCTL_HOME="+filepath.Join(s.home(), "state"), "LABCTL_OWNER=bench",
		"DOCKER_HOST=unix:///nonexistent/docker.sock", "LABCTL_SSH_FROM=172.29.255.254/32",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL="+s.account.URL(),
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_REGION="+region)
	var out, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, &both), &both
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	s.b.keepEvents(args[0], both.Bytes())
	if err != nil {
		return took, fmt.Errorf("labctl %s: %w: %s", strings.Join(args, " "), err, both.String())
	}
	_, err = stdout.Write(out.Bytes())
	return took, err
}

// on runs a command on the host, as root and without SSH, and returns what it printed.
func (s *site) on(ctx context.Context, stdin io.Reader, argv ...string) (string, error) {
	var out, errs bytes.Buffer
	if err := s.machine.Run(ctx, s.host, command.Command{Argv: argv, Stdin: stdin, Stdout: &out, Stderr: &errs}); err != nil {
		return "", fmt.Errorf("on the host: %w: %s%s", err, out.String(), errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// findHost learns the instance's id.
func (s *site) findHost(ctx context.Context) error {
	var out bytes.Buffer
	if _, err := s.labctl(ctx, &out, "status", "-o", "json"); err != nil {
		return err
	}
	var status struct {
		Labs []struct {
			Host struct {
				Instance string `json:"instance_id"`
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &status); err != nil {
		return err
	}
	if len(status.Labs) != 1 || status.Labs[0].Host.Instance == "" {
		return fmt.Errorf("labctl status names no host: %s", out.String())
	}
	s.host = status.Labs[0].Host.Instance
	return nil
}

// keepEvents keeps what a labctl has said, in a file of the run's own. It is no reason to end a measurement.
func (b *bench) keepEvents(name string, said []byte) {
	if b.events == "" {
		return
	}
	b.kept++
	err := os.MkdirAll(b.events, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.events, fmt.Sprintf("%02d-%s.ndjson", b.kept, name)), said, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: keeping events:", err)
	}
}

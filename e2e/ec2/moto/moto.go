// Package moto runs moto_server, which speaks EC2's wire protocol and keeps its world in memory.
package moto

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing says that moto_server is not on this machine.
var ErrMissing = errors.New("moto_server is not there (pip install 'moto[ec2,server]')")

// Server is a moto_server that runs.
type Server struct {
	URL string

	cmd    *exec.Cmd
	output *bytes.Buffer
	dir    string
	ended  chan struct{}
}

// The images that the server knows: one of each that labctl knows by name, impostors that a search by
// name alone would find, and an older one. moto cannot load dates of making for more than one region, so
// they are all of the moment that a region is used first, and the id decides.
func images() []map[string]any {
	image := func(id, owner, name, arch, root string) map[string]any {
		return map[string]any{
			"ami_id": id, "state": "available", "public": true, "owner_id": owner, "image_location": owner + "/" + name,
			"sriov": "simple", "root_device_type": "ebs", "root_device_name": root, "description": name, "image_type": "machine",
			"platform": nil, "architecture": arch, "name": name, "virtualization_type": "hvm", "hypervisor": "xen",
		}
	}
	const debian, canonical, stranger = "136693071363", "099720109477", "666666666666"
	return []map[string]any{
		image("ami-0deb12000000000a1", debian, "debian-12-amd64-20250601-2000", "x86_64", "/dev/xvda"),
		image("ami-0deb12000000000a2", debian, "debian-12-amd64-20260601-2400", "x86_64", "/dev/xvda"),
		image("ami-0deb12000000000a3", debian, "debian-12-arm64-20260601-2400", "arm64", "/dev/xvda"),
		image("ami-0deb12000000000bb", debian, "debian-12-backports-amd64-20260701-2400", "x86_64", "/dev/xvda"),
		image("ami-0deb1200000000bad", stranger, "debian-12-amd64-20261101-9999", "x86_64", "/dev/xvda"),
		image("ami-0deb13000000000a1", debian, "debian-13-amd64-20260601-2400", "x86_64", "/dev/xvda"),
		image("ami-0ubu24000000000a1", canonical, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260601", "x86_64", "/dev/sda1"),
		image("ami-0a12023000000000a1", stranger, "al2023-ami-2023.6.20260601.0-kernel-6.1-x86_64", "x86_64", "/dev/xvda"),
		image("ami-0ubu2400000000bad", stranger, "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261101", "x86_64", "/dev/sda1"),
	}
}

// Start runs a moto_server on a free port of the loopback and waits until it answers. The error is
// ErrMissing when there is none on path.
func Start(ctx context.Context) (*Server, error) {
	program, err := exec.LookPath("moto_server")
	if err != nil {
		return nil, ErrMissing
	}
	dir, err := os.MkdirTemp("", "labctl-moto-")
	if err != nil {
		return nil, err
	}
	amis, err := json.Marshal(images())
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "amis.json"), amis, 0o600); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{URL: fmt.Sprintf("http://127.0.0.1:%d", port), output: new(bytes.Buffer), dir: dir, ended: make(chan struct{})}
	s.cmd = exec.Command(program, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	s.cmd.Env = append(os.Environ(),
		"MOTO_AMIS_PATH="+filepath.Join(dir, "amis.json"), "MOTO_ENABLE_AMI_VALIDATION=true", "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION=true")
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	DieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.cmd.Wait(); close(s.ended) }()
	if err := s.await(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		if err := s.call(ctx, http.MethodGet, "/moto-api/"); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("moto_server ended: %s", s.output)
		case <-ctx.Done():
			return fmt.Errorf("moto_server does not answer: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *Server) call(ctx context.Context, method, path string) error {
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return nil
}

// Reset empties the world: new accounts with their default VPCs.
func (s *Server) Reset(ctx context.Context) error {
	return s.call(ctx, http.MethodPost, "/moto-api/reset")
}

// Errors returns what the server has said, but for the calls that went well.
func (s *Server) Errors() string {
	var kept []string
	for line := range strings.Lines(s.output.String()) {
		if !strings.Contains(line, "HTTP/1.1\" ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// Stop ends the server.
func (s *Server) Stop() {
	s.cmd.Process.Kill()
	<-s.ended
	os.RemoveAll(s.dir)
}

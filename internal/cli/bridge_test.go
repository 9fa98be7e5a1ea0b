//go:build e2e

package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/kube/kubetest"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/ssh"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
	"github.com/labctl/labctl/provision/ec2"
	"github.com/labctl/labctl/provision/kind"
)

// startSSHD starts a real sshd that lets the key in, and returns its address and host key.
func startSSHD(t *testing.T, authorized string) (address, hostKey string) {
	t.Helper()
	dir := t.TempDir()
	private, hostKey, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	config := fmt.Sprintf("ListenAddress %s\nHostKey %[2]s/host_key\nAuthorizedKeysFile %[2]s/authorized\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n", address, dir)
	for name, text := range map[string]string{"host_key": string(private), "authorized": authorized + "\n", "config": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("these tests need a real sshd: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd's log:\n%s", log.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return address, hostKey
		}
		if time.Now().After(deadline) {
			t.Fatalf("sshd does not listen: %v", err)
		}
	}
}

// echo answers every connection with what it sends, and returns its address.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); conn.Close() }()
		}
	}()
	return l.Addr().String()
}

// TestTheAPIComesBackWithTheConnection: the connection to a host ends and another takes its place, while
// clients of an open shell connect, and the port that leads to the API server goes on leading there.
func TestTheAPIComesBackWithTheConnection(t *testing.T) {
	private, public, err := ssh.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	address, hostKey := startSSHD(t, public)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	files := state.Home{Dir: t.TempDir(), Now: time.Now}.Lab("a")
	access, err := kube.ReadAccess([]byte(kubetest.NewAdmin(t).Conf("", "", "")), "")
	if err != nil {
		t.Fatal(err)
	}
	access.Server = "https://" + echo(t)
	raw, err := access.Kubeconfig("kind-c")
	if err != nil {
		t.Fatal(err)
	}
	if err := files.WriteFile(state.KubeconfigFile, raw); err != nil {
		t.Fatal(err)
	}
	h := &ec2.HostState{InstanceID: "i-1", Address: "192.0.2.1", HostKey: hostKey}
	r := &remote{key: private, Host: ec2.NewHost(&labfile.Host{Type: "ec2", Name: "h"}, provision.Ownership{}, nil, nil, h)}
	r.dial = func(ctx context.Context, cfg ssh.Config) (*ssh.Conn, error) {
		cfg.Address, cfg.User = address, me.Username
		return ssh.Dial(ctx, cfg)
	}
	defer r.Close()
	s := &session{app: newApp(Process{}), lab: &labfile.Lab{Name: "a"}, files: files, remote: r, cluster: &kind.Cluster{Spec: &labfile.Cluster{Name: "c"}, Files: files}}
	path, err := s.forwardAPI(t.Context(), func(err error) { t.Logf("a connection failed: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	raw, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	near, err := kube.ReadAccess(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(near.Server)
	if err != nil {
		t.Fatal(err)
	}
	exchange := func() string {
		conn, err := net.Dial("tcp", server.Host)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "hello")
		_ = conn.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(conn)
		return string(got)
	}
	for round := range 3 {
		if got := exchange(); got != "hello" {
			t.Errorf("round %d: the API answers %q", round, got)
		}
		var clients sync.WaitGroup
		for range 5 {
			clients.Go(func() { exchange() })
		}
		r.Close() // beside them: what they get then is any of both
		clients.Wait()
	}
	if got := exchange(); got != "hello" {
		t.Errorf("after the last one: %q", got)
	}
}

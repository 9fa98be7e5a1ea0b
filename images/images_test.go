//go:build e2e

// Package images_test runs the images that labs need on the engine of this machine, whether they were
// pulled or are substitute images: what a lab relies on has to hold for both.
package images_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// docker runs one docker command and returns its output, trimmed, whether or not it failed.
func docker(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// mustDocker is docker for commands that have to work.
func mustDocker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := docker(t, args...)
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// run starts a container, has it removed at the end of the test, and returns its id.
func run(t *testing.T, args ...string) string {
	t.Helper()
	id := mustDocker(t, append([]string{"run", "--detach", "--label", "labctl.test=images"}, args...)...)
	t.Cleanup(func() {
		if out, err := docker(t, "rm", "--force", "--volumes", id); err != nil {
			t.Errorf("removing container %s: %v\n%s", id, err, out)
		}
	})
	return id
}

// address returns where a port that was published on 127.0.0.1 answers.
func address(t *testing.T, id, port string) string {
	t.Helper()
	return "localhost:" + strings.TrimPrefix(mustDocker(t, "port", id, port), "127.0.0.1:")
}

// answer sends the request until a server answers it, for at most ten seconds.
func answer(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		status, body, err := request(ctx, method, url)
		if err == nil {
			return status, body
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s %s: no answer within 10 s, last: %v", method, url, err)
		case <-time.After(50 * time.Millisecond): // there is nothing to watch: the port is not open yet
		}
	}
}

func request(ctx context.Context, method, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestNginxServesItsPage(t *testing.T) {
	id := run(t, "--publish", "127.0.0.1::80", "nginx:1.25")
	status, body := answer(t, http.MethodGet, "http://"+address(t, id, "80")+"/")
	if status != http.StatusOK || !strings.Contains(body, "Welcome to nginx!") {
		t.Errorf("got status %d and %q, want 200 and the welcome page", status, body)
	}
	if _, err := docker(t, "exec", id, "curl", "-fsS", "http://localhost/no-such-page"); err == nil {
		t.Error("curl inside the container got a page that does not exist")
	}
	if page := mustDocker(t, "exec", id, "bash", "-c", "curl -fsS http://localhost/"); page != strings.TrimSpace(body) {
		t.Errorf("curl inside the container got %q, want what the port served", page)
	}
	logs := mustDocker(t, "logs", id)
	for _, want := range []string{`"GET / HTTP/1.1" 200`, `"GET /no-such-page HTTP/1.1" 404`, "127.0.0.1 - - ", "No such file or directory"} {
		if !strings.Contains(logs, want) {
			t.Errorf("the container's log has no %q:\n%s", want, logs)
		}
	}
}

func TestNginxEndsOnItsStopSignal(t *testing.T) {
	id := run(t, "--publish", "127.0.0.1::80", "nginx:1.25")
	answer(t, http.MethodGet, "http://"+address(t, id, "80")+"/")
	mustDocker(t, "stop", "--time", "20", id)
	if code := mustDocker(t, "inspect", "--format", "{{ .State.ExitCode }}", id); code != "0" {
		t.Errorf("exit code %s after docker stop, want 0: it was not asked with SIGQUIT, or killed", code)
	}
}

func TestBusyboxRunsAShell(t *testing.T) {
	out := mustDocker(t, "run", "--rm", "busybox:1.36", "sh", "-c", "hostname >/tmp/name && wc -l </tmp/name && id -u")
	if out != "1\n0" {
		t.Errorf("got %q, want the output of sh and its applets", out)
	}
	if out, err := docker(t, "run", "--rm", "busybox:1.36", "/bin/sh", "-c", "exit 3"); err == nil || out != "" {
		t.Errorf("sh -c 'exit 3' ended with %v and %q, want a failure and no output", err, out)
	}
}

// The mirror's whole life: filled through a published port, then served read-only from the same volume.
func TestRegistryIsFilledThenReadOnly(t *testing.T) {
	volume := mustDocker(t, "volume", "create", "--label", "labctl.test=images")
	t.Cleanup(func() { mustDocker(t, "volume", "rm", volume) })

	filling := run(t, "--publish", "127.0.0.1::5000", "--volume", volume+":/var/lib/registry", "registry:2")
	writable := address(t, filling, "5000")
	answer(t, http.MethodGet, "http://"+writable+"/v2/")
	push(t, writable, "nginx:1.25")
	tags := mustDocker(t, "exec", filling, "ls", "/var/lib/registry/docker/registry/v2/repositories/library/nginx/_manifests/tags")
	if tags != "1.25" {
		t.Errorf("tags in the volume are %q, want 1.25", tags)
	}
	mustDocker(t, "stop", filling)

	serving := run(t, "--publish", "127.0.0.1::5000", "--volume", volume+":/var/lib/registry:ro",
		"--env", `REGISTRY_STORAGE_MAINTENANCE_READONLY={"enabled":true}`, "registry:2")
	readOnly := address(t, serving, "5000")
	if status, body := answer(t, http.MethodGet, "http://"+readOnly+"/v2/library/nginx/tags/list"); status != http.StatusOK || !strings.Contains(body, `"1.25"`) {
		t.Errorf("the list of tags is %d %q, want 200 with 1.25", status, body)
	}
	if status, body := answer(t, http.MethodGet, "http://"+readOnly+"/v2/library/nginx/manifests/99999"); status != http.StatusNotFound || !strings.Contains(body, "MANIFEST_UNKNOWN") {
		t.Errorf("nginx:99999 is answered with %d %q, want 404 MANIFEST_UNKNOWN", status, body)
	}
	if status, body := answer(t, http.MethodPost, "http://"+readOnly+"/v2/library/busybox/blobs/uploads/"); status != http.StatusMethodNotAllowed {
		t.Errorf("an upload is answered with %d %q, want 405", status, body)
	}
	pull(t, readOnly, "nginx:1.25")
	if out, err := tagAndPush(t, readOnly, "busybox:1.36"); err == nil {
		t.Errorf("a push to the read-only registry worked:\n%s", out)
	}
}

// tagAndPush pushes an image of the engine as library/IMAGE and takes the second name away again.
func tagAndPush(t *testing.T, registry, image string) (string, error) {
	t.Helper()
	name := fmt.Sprintf("%s/library/%s", registry, image)
	mustDocker(t, "tag", image, name)
	t.Cleanup(func() {
		// A pull in the same test may have taken the name away already.
		docker(t, "rmi", "--no-prune", name)
	})
	return docker(t, "push", name)
}

func push(t *testing.T, registry, image string) {
	t.Helper()
	if out, err := tagAndPush(t, registry, image); err != nil {
		t.Fatalf("pushing %s: %v\n%s", image, err, out)
	}
}

// pull fetches library/IMAGE and checks that it is the image that the engine has under its own name.
func pull(t *testing.T, registry, image string) {
	t.Helper()
	name := fmt.Sprintf("%s/library/%s", registry, image)
	mustDocker(t, "pull", name)
	t.Cleanup(func() { docker(t, "rmi", "--no-prune", name) })
	format := "{{ .Id }}"
	got, want := mustDocker(t, "image", "inspect", "--format", format, name), mustDocker(t, "image", "inspect", "--format", format, image)
	if got != want {
		t.Errorf("%s from the registry is %s, want %s", image, got, want)
	}
}

//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// calls stands between labctl and the engine and notes every request.
type calls struct {
	engine string // the engine's socket

	mu       sync.Mutex
	all      int
	mutating []string
}

// readers are the programs that may be run in a container without that counting as a change.
var readers = []string{"cat", "getent", "grep", "ip", "ls", "stat", "test", "crictl"}

// count-calls: from here on, every call to the engine and to the API server is noted.
func countCalls(ts *testscript.TestScript, neg bool, args []string) {
	engine, isSocket := strings.CutPrefix(around.host, "unix://")
	if neg || len(args) > 0 || !isSocket {
		ts.Fatalf("usage: count-calls, with an engine on a unix socket (it is at %s)", around.host)
	}
	dir, err := os.MkdirTemp("", "calls") // $WORK may be too long for a socket's name
	ts.Check(err)
	listener, err := net.Listen("unix", filepath.Join(dir, "engine.sock"))
	ts.Check(err)
	c := &calls{engine: engine}
	go c.serve(listener)
	ts.Defer(func() { listener.Close(); os.RemoveAll(dir) })
	counters.Store(ts, c)
	ts.Defer(func() { counters.Delete(ts) })
	requests := ts.MkAbs("requests.log")
	ts.Check(os.WriteFile(requests, nil, 0o600))
	ts.Setenv("DOCKER_HOST", "unix://"+filepath.Join(dir, "engine.sock"))
	ts.Setenv("LABCTL_DEBUG_REQUESTS", requests)
}

// counters holds the counting proxy of each script that has one.
var counters sync.Map

// mutating-calls N: since count-calls there were N calls that change something, and others too.
// At the engine that is all but GET, HEAD and running a program that only reads; at the API server all
// but GET and access reviews.
func mutatingCalls(ts *testscript.TestScript, neg bool, args []string) {
	value, ok := counters.Load(ts)
	if len(args) != 1 || !ok {
		ts.Fatalf("usage: [!] mutating-calls N, after count-calls")
	}
	c := value.(*calls)
	c.mu.Lock()
	all, mutating := c.all, slices.Clone(c.mutating)
	c.mu.Unlock()
	asked := 0
	for line := range strings.Lines(ts.ReadFile("requests.log")) {
		asked++
		method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if method != http.MethodGet && !strings.HasPrefix(path, "/apis/authorization.k8s.io/") {
			mutating = append(mutating, "API server: "+line)
		}
	}
	ts.Logf("%d calls to the engine, %d requests to the API server, %d of them mutating", all, asked, len(mutating))
	if (fmt.Sprint(len(mutating)) != args[0]) != neg {
		ts.Fatalf("%d mutating calls, not as said (%s):\n%s", len(mutating), args[0], strings.Join(mutating, "\n"))
	}
	if all == 0 {
		ts.Fatalf("no call at all went through the proxy: this proves nothing")
	}
}

func (c *calls) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go c.pass(client.(*net.UnixConn))
	}
}

// pass copies bytes both ways and listens in. An exec turns its connection into a plain stream, half
// of which may be closed before the other: nothing but copying carries that faithfully.
func (c *calls) pass(client *net.UnixConn) {
	defer client.Close()
	conn, err := net.Dial("unix", c.engine)
	if err != nil {
		return
	}
	engine := conn.(*net.UnixConn)
	defer engine.Close()
	heard, tap := io.Pipe()
	go c.listen(heard)
	go func() {
		_, _ = io.Copy(io.MultiWriter(engine, tap), client)
		_ = engine.CloseWrite()
		tap.Close()
	}()
	_, _ = io.Copy(client, engine)
	_ = client.CloseWrite()
}

// listen reads the requests of one connection until it becomes a stream.
func (c *calls) listen(r *io.PipeReader) {
	defer func() { _, _ = io.Copy(io.Discard, r) }()
	requests := bufio.NewReader(r)
	for {
		req, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(req.Body)
		c.note(req, body)
		if req.Header.Get("Upgrade") != "" {
			return
		}
	}
}

func (c *calls) note(req *http.Request, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all++
	if !changes(req.Method, req.URL.Path, body) {
		return
	}
	c.mutating = append(c.mutating, fmt.Sprintf("engine: %s %s %.200s", req.Method, req.URL.Path, body))
}

// changes tells whether a request to the engine may change anything.
func changes(method, path string, body []byte) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return false
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	parts = parts[1:] // v1.41
	switch {
	case len(parts) == 3 && parts[0] == "exec":
		return false // what is run was said, and judged, when the exec was created
	case len(parts) == 3 && parts[0] == "containers" && parts[2] == "exec":
		var exec struct{ Cmd []string }
		if json.Unmarshal(body, &exec) != nil || len(exec.Cmd) == 0 {
			return true
		}
		return !slices.Contains(readers, exec.Cmd[0])
	}
	return true
}

package kind

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/labfile"
)

// farEngine is an engine whose loopback is not this machine's: what is sent to the API server in the node comes
// back in capitals.
type farEngine struct{ running string }

func (e farEngine) Run(_ context.Context, c command.Command) error {
	if c.Argv[1] == "inspect" {
		_, err := io.WriteString(c.Stdout, e.running+"\n")
		return err
	}
	lines := bufio.NewScanner(c.Stdin)
	for lines.Scan() {
		if _, err := fmt.Fprintln(c.Stdout, strings.ToUpper(lines.Text())); err != nil {
			return err
		}
	}
	return nil
}

// refused is an address of the loopback where nothing listens.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func converse(t *testing.T, conn net.Conn) string {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestAnAPIServerThatIsNotOnThisLoopbackIsReachedThroughTheEngine(t *testing.T) {
	c := &Cluster{Spec: &labfile.Cluster{Name: "c"}, Engine: &docker.Engine{Runner: farEngine{"true"}}}
	conn, err := c.DialAPI(t.Context(), "tcp", refused(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := converse(t, conn); got != "HELLO" {
		t.Errorf("got %q", got)
	}
	_ = conn.Close()

	stopped := &Cluster{Spec: &labfile.Cluster{Name: "c"}, Engine: &docker.Engine{Runner: farEngine{"false"}}}
	if _, err := stopped.DialAPI(t.Context(), "tcp", refused(t)); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("of a stopped node: %v", err)
	}
}

func TestWhatIsPublishedHere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := &Cluster{}
	if !c.Published(t.Context(), l.Addr().String()) {
		t.Error("a port that answers is not published")
	}
	if c.Published(t.Context(), refused(t)) {
		t.Error("a port that refuses is published")
	}
}

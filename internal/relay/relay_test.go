package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// serve runs a relay for real commands of this machine and returns its socket.
func serve(t *testing.T, runner command.Runner) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, runner) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serving ended with %v", err)
		}
	})
	return socket
}

func TestStreamsAndExitStatusPassThrough(t *testing.T) {
	socket := serve(t, command.Local{})
	var out, errs bytes.Buffer
	code, err := Call(socket, []string{"sh", "-c", "cat; echo oops >&2; exit 7"}, strings.NewReader("hello"), &out, &errs)
	if err != nil || code != 7 || out.String() != "hello" || errs.String() != "oops\n" {
		t.Errorf("exit %d, %v, stdout %q, stderr %q", code, err, out.String(), errs.String())
	}
}

func TestLargeInputArrivesWhole(t *testing.T) {
	socket := serve(t, command.Local{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB, several frames
	var out bytes.Buffer
	if code, err := Call(socket, []string{"cat"}, bytes.NewReader(data), &out, io.Discard); err != nil || code != 0 {
		t.Fatalf("exit %d, %v", code, err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Errorf("%d of %d bytes came back, or others", out.Len(), len(data))
	}
}

func TestACommandThatDoesNotReadItsInputEnds(t *testing.T) {
	socket := serve(t, command.Local{})
	endless, feed := io.Pipe()
	defer feed.Close()
	code, err := Call(socket, []string{"true"}, endless, io.Discard, io.Discard)
	if err != nil || code != 0 {
		t.Errorf("exit %d, %v", code, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	socket := serve(t, command.Local{})
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			var out bytes.Buffer
			if code, err := Call(socket, []string{"echo", "x"}, nil, &out, io.Discard); err != nil || code != 0 || out.String() != "x\n" {
				t.Errorf("exit %d, %v, %q", code, err, out.String())
			}
		})
	}
	wg.Wait()
}

// unknown is a runner whose connection breaks while the command runs.
type unknown struct{}

func (unknown) Run(context.Context, command.Command) error { return errors.New("connection lost") }

func TestAnUnknownOutcomeIsAnError(t *testing.T) {
	socket := serve(t, unknown{})
	code, err := Call(socket, []string{"docker", "run"}, nil, io.Discard, io.Discard)
	if code == 0 || err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("exit %d, %v", code, err)
	}
}

// waits is a runner whose command lasts until it is cancelled.
type waits struct{ ended chan struct{} }

func (w waits) Run(ctx context.Context, _ command.Command) error {
	<-ctx.Done()
	close(w.ended)
	return ctx.Err()
}

func TestACallerThatGoesAwayEndsItsCommand(t *testing.T) {
	w := waits{make(chan struct{})}
	socket := serve(t, w)
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&frames{w: conn}).send(request, []byte(`["sleep"]`)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	select {
	case <-w.ended:
	case <-time.After(10 * time.Second):
		t.Error("the command still runs")
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("r\x00\x00\x00\x02[]"))
	f.Add([]byte("r\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		for {
			_, body, err := readFrame(r)
			if err != nil {
				return
			}
			if len(body) > maxFrame {
				t.Fatalf("a frame of %d bytes", len(body))
			}
		}
	})
}

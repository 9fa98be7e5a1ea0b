//go:build e2e

package ssh

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echo answers each connection with what comes, to its end.
func echo(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
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
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	return l
}

func TestDialContext(t *testing.T) {
	c := startServer(t).dial(t)
	tcp := echo(t, "tcp", "127.0.0.1:0").Addr().String()
	unix := filepath.Join(t.TempDir(), "echo.sock")
	echo(t, "unix", unix)
	for network, address := range map[string]string{"tcp": tcp, "unix": unix} {
		t.Run(network, func(t *testing.T) {
			conn, err := c.DialContext(t.Context(), network, address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			sent := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
			go func() {
				io.WriteString(conn, sent)
				conn.(interface{ CloseWrite() error }).CloseWrite()
			}()
			got, err := io.ReadAll(conn)
			if err != nil || string(got) != sent {
				t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
			}
			if conn.RemoteAddr().String() != address || conn.RemoteAddr().Network() != network {
				t.Errorf("the remote address is %v", conn.RemoteAddr())
			}
			if _, err := conn.Write([]byte("more")); err == nil {
				t.Error("a write after CloseWrite is accepted")
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		if _, err := c.DialContext(t.Context(), "tcp", freeAddress(t)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		if _, err := c.DialContext(t.Context(), "unix", filepath.Join(t.TempDir(), "none")); err == nil {
			t.Error("no error")
		}
	})
	t.Run("what is no address", func(t *testing.T) {
		for _, x := range [][2]string{{"udp", tcp}, {"tcp", "localhost"}, {"tcp", "localhost:http"}, {"tcp", "localhost:0"}, {"tcp", "localhost:65536"}} {
			if _, err := c.DialContext(t.Context(), x[0], x[1]); err == nil {
				t.Errorf("%s is accepted", x)
			}
		}
	})
	t.Run("a context that has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if conn, err := c.DialContext(ctx, "tcp", tcp); err == nil {
			conn.Close() // it may have been faster
		} else if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestStreamDeadlines(t *testing.T) {
	c := startServer(t).dial(t)
	conn, err := c.DialContext(t.Context(), "tcp", echo(t, "tcp", "127.0.0.1:0").Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 100)

	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if _, err := conn.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
	// A deadline that is set while a Read waits ends it.
	conn.SetReadDeadline(time.Time{})
	time.AfterFunc(20*time.Millisecond, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	within(t, 10*time.Second, "Read", func() {
		if _, err := conn.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	// Nothing is lost by either.
	conn.SetReadDeadline(time.Time{})
	io.WriteString(conn, "hello")
	if _, err := io.ReadFull(conn, buf[:5]); err != nil || string(buf[:5]) != "hello" {
		t.Errorf("%q, %v", buf[:5], err)
	}
	// Nobody reads what comes back, so writing gets stuck.
	conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	within(t, 30*time.Second, "Write", func() {
		for {
			if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				return
			}
		}
	})
	conn.SetWriteDeadline(time.Time{})
	if _, err := conn.Write(buf); err == nil {
		t.Error("a write after one that was given up is accepted")
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		done <- err
	}()
	conn.Close()
	within(t, 10*time.Second, "Close", func() {
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read on a closed stream: %v", err)
		}
	})
}

func TestHTTPThroughTheConnection(t *testing.T) {
	c := startServer(t).dial(t)
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "it is "+r.URL.Path) }))
	defer web.Close()
	client := web.Client()
	client.Transport.(*http.Transport).DialContext = c.DialContext
	for range 3 {
		resp, err := client.Get(web.URL + "/here")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "it is /here" {
			t.Errorf("%q, %v", body, err)
		}
	}
	client.CloseIdleConnections()
}

func TestForward(t *testing.T) {
	c := startServer(t).dial(t)
	unix := filepath.Join(t.TempDir(), "echo.sock")
	far := echo(t, "unix", unix)
	near, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, failed := make(chan error, 1), make(chan error, 10)
	go func() {
		dial := func(ctx context.Context) (net.Conn, error) { return c.DialContext(ctx, "unix", unix) }
		done <- Forward(ctx, near, dial, func(err error) { failed <- err })
	}()
	exchange := func() (string, error) {
		conn, err := net.Dial("tcp", near.Addr().String())
		if err != nil {
			return "", err
		}
		defer conn.Close()
		io.WriteString(conn, "over there")
		conn.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(conn)
		return string(got), err
	}
	for range 5 {
		if got, err := exchange(); err != nil || got != "over there" {
			t.Errorf("%q, %v", got, err)
		}
	}
	far.Close()
	if got, _ := exchange(); got != "" {
		t.Errorf("nobody answers %q", got)
	}
	select {
	case <-failed:
	case <-time.After(10 * time.Second):
		t.Error("nobody was told of a connection that failed")
	}
	open, err := net.Dial("tcp", near.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cancel()
	within(t, 10*time.Second, "the end of Forward", func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if _, err := net.Dial("tcp", near.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

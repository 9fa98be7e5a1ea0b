package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers every connection with what it was sent, its end included.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func TestLine(t *testing.T) {
	l, err := openLine("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.lead(echo(t))
	dial := func() *net.TCPConn {
		t.Helper()
		c, err := net.Dial("tcp", l.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c.(*net.TCPConn)
	}
	// ask sends one word and returns how long its echo took.
	ask := func(c net.Conn) time.Duration {
		t.Helper()
		began := time.Now()
		if _, err := c.Write([]byte("word")); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 4)
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "word" {
			t.Fatalf("the answer is %q: %v", answer, err)
		}
		return time.Since(began)
	}

	const roundTrip = 100 * time.Millisecond
	near := dial()
	ask(near)
	l.away(roundTrip)
	far := dial()
	if took := ask(far); took < 2*roundTrip {
		t.Errorf("connecting and one word took %s; want two round trips, %s", took, 2*roundTrip)
	}
	if took := ask(far); took < roundTrip || took > 2*roundTrip {
		t.Errorf("one word took %s; want a round trip, %s", took, roundTrip)
	}
	// Ten trials, because anybody may be kept waiting on a busy machine.
	for i := range 10 {
		if ask(near) < roundTrip/2 {
			break
		}
		if i == 9 {
			t.Error("a connection that was made before the delay is delayed")
		}
	}

	// As much as before: 8 MiB are 256 parcels, which one after the other would take 12 s.
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<19)
	began := time.Now()
	go func() { far.Write(data); far.CloseWrite() }()
	back, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(back, data) {
		t.Errorf("of %d bytes %d came back: %v", len(data), len(back), err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d bytes took %s", len(data), took)
	}
	if n := l.taken(); n != 2 {
		t.Errorf("%d connections are counted; want 2", n)
	}
	if n := l.taken(); n != 0 {
		t.Errorf("%d connections are counted twice", n)
	}
}

func TestLineHangsUpWhenItIsClosed(t *testing.T) {
	l, err := openLine("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.lead(echo(t))
	c, err := net.Dial("tcp", l.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after Close, reading ends with %v", err)
	}
}

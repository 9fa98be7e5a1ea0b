package ssh

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/labctl/labctl/internal/count"
)

const (
	// startTimeout bounds how long a host may take to start a shell; a host that boots or swaps is slow.
	startTimeout = time.Minute
	// sessionTries is how often a session is asked for that the host has no room for at the moment.
	sessionTries = 8
)

// shell is a session in which one of the two scripts runs.
type shell struct {
	channel xssh.Channel
	stdout  *bufio.Reader // behind the hello
	stderr  *bufio.Reader
	group   int // its process group on the host

	exited chan struct{} // closed when the host has said how it exited
	status status        // valid once exited is closed
	ended  chan struct{} // closed when the session is over, with a status or without
}

// status is how a command ended: by a signal, if that is not empty, else with a code.
type status struct {
	code   int
	signal string // without SIG
}

func (s status) String() string {
	if s.signal != "" {
		return "signal " + s.signal
	}
	return "exit status " + strconv.Itoa(s.code)
}

// startShell opens a session and starts a script in it: two round trips. It blocks until the script has
// said hello, or the connection is over; it is for goroutines that nobody waits for without a bound.
func (c *Conn) startShell(script string) (*shell, error) {
	bound := time.NewTimer(c.target.start)
	defer bound.Stop()
	channel, requests, err := c.openSession(bound.C)
	if err != nil {
		return nil, fmt.Errorf("opening a session on %s: %w", c, c.why(err))
	}
	s := &shell{
		channel: channel,
		stdout:  bufio.NewReader(channel),
		stderr:  bufio.NewReader(channel.Stderr()),
		exited:  make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go s.listen(requests)
	giveUp := time.AfterFunc(c.target.start, func() { channel.Close() })
	ok, err := channel.SendRequest("exec", true, xssh.Marshal(struct{ Command string }{script}))
	if err == nil && !ok {
		err = errors.New("it does not let this user run commands")
	}
	if err == nil {
		err = s.meet()
	}
	if !giveUp.Stop() {
		err = fmt.Errorf("not done within %s", count.Duration(c.target.start))
	}
	if err != nil {
		go channel.Close()
		return nil, fmt.Errorf("starting a shell on %s: %w", c, c.why(err))
	}
	return s, nil
}

// openSession asks again when the host has no room: it frees a session only some time after it has said
// that it is over, so that a new one may find all taken.
func (c *Conn) openSession(bound <-chan time.Time) (xssh.Channel, <-chan *xssh.Request, error) {
	for try := 1; ; try++ {
		channel, requests, err := c.openChannel("session", nil, bound)
		var refused *xssh.OpenChannelError
		if err == nil || try == sessionTries || !errors.As(err, &refused) ||
			refused.Reason != xssh.ConnectionFailed && refused.Reason != xssh.ResourceShortage {
			return channel, requests, err
		}
		pause := time.NewTimer(time.Duration(try*try) * 10 * time.Millisecond)
		select {
		case <-pause.C:
		case <-bound:
			pause.Stop()
			return nil, nil, fmt.Errorf("not done within %s; last: %w", count.Duration(c.target.start), err)
		case <-c.ended:
			pause.Stop()
			return nil, nil, c.cause
		}
	}
}

// openChannel is the library's, which waits for an answer for as long as the connection lasts. A host may keep that
// alive and never answer.
func (c *Conn) openChannel(kind string, data []byte, bound <-chan time.Time) (xssh.Channel, <-chan *xssh.Request, error) {
	type opened struct {
		channel  xssh.Channel
		requests <-chan *xssh.Request
		err      error
	}
	done := make(chan opened, 1)
	go func() {
		channel, requests, err := c.mux.OpenChannel(kind, data)
		done <- opened{channel, requests, err}
	}()
	select {
	case got := <-done:
		return got.channel, got.requests, got.err
	case <-bound:
		go func() {
			if got := <-done; got.err == nil {
				go xssh.DiscardRequests(got.requests)
				got.channel.Close()
			}
		}()
		return nil, nil, fmt.Errorf("the host has not answered within %s", count.Duration(c.target.start))
	}
}

// listen notes how the shell exits.
func (s *shell) listen(requests <-chan *xssh.Request) {
	defer close(s.ended)
	known := false
	for r := range requests {
		var code struct{ Status uint32 }
		var signal struct {
			Name       string
			CoreDumped bool
			Message    string
			Language   string
		}
		switch {
		case known:
		case r.Type == "exit-status" && xssh.Unmarshal(r.Payload, &code) == nil:
			s.status, known = status{code: int(code.Status)}, true
			close(s.exited)
		case r.Type == "exit-signal" && xssh.Unmarshal(r.Payload, &signal) == nil:
			s.status, known = status{signal: strings.TrimPrefix(signal.Name, "SIG")}, true
			close(s.exited)
		}
		if r.WantReply {
			r.Reply(false, nil)
		}
	}
}

// alive says whether the shell was still there when it was last heard of.
func (s *shell) alive() bool {
	select {
	case <-s.ended:
		return false
	case <-s.exited:
		return false
	default:
		return true
	}
}

// meet reads up to the script's hello on both streams, and learns its process group.
func (s *shell) meet() error {
	before, rest, err := skipTo(s.stdout, hello+" ")
	if err == nil {
		if s.group, err = strconv.Atoi(rest); err == nil && s.group > 1 {
			_, _, err = skipTo(s.stderr, hello)
			return err
		}
		return fmt.Errorf("its greeting %q is none", oneLine(rest))
	}
	// What it printed instead says why: a user without a shell, a command that is forced on the key. How it
	// exited comes behind that, or never.
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-s.exited:
		case <-s.ended:
		case <-time.After(time.Second):
			s.channel.Close()
		}
	}()
	said, _ := io.ReadAll(io.LimitReader(s.stderr, 4096))
	<-done
	select {
	case <-s.exited:
		err = errors.New(s.status.String())
	default:
	}
	if text := oneLine(before + "\n" + string(said)); text != "" {
		return fmt.Errorf("%w; it says %q", err, text)
	}
	return err
}

// skipTo reads to the end of the first line that begins with prefix. It returns what came before that
// line and the rest of it. A host that prints without end, in lines or in one, is an error.
func skipTo(r *bufio.Reader, prefix string) (before, rest string, err error) {
	const most = 64 << 10
	var seen strings.Builder
	begun := 0 // where the line began that is being read
	for seen.Len() < most {
		part, err := r.ReadSlice('\n') // a buffer full at most: a line may have no end
		seen.Write(part)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return seen.String(), "", err
		}
		if rest, ok := strings.CutPrefix(seen.String()[begun:], prefix); ok {
			return seen.String()[:begun], strings.TrimSpace(rest), nil
		}
		begun = seen.Len()
	}
	return seen.String(), "", errors.New("its start-up files print without end")
}

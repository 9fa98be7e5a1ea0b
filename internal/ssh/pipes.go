package ssh

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/untrusted"
)

// pipes carries a command's three streams.
type pipes struct {
	shell *shell
	cmd   command.Command
	fail  func(error) // a stream here failed

	started atomic.Bool     // the host said that the command begins
	tail    *untrusted.Tail // of stderr
	reading atomic.Bool     // Stdin's Read has not returned
	fed     chan struct{}
	copied  chan struct{} // both outputs have ended
	moved   atomic.Int64  // bytes of output so far
	outputs []*output
}

func newPipes(s *shell, cmd command.Command, fail func(error)) *pipes {
	return &pipes{shell: s, cmd: cmd, fail: fail, tail: untrusted.NewTail(tailSize), fed: make(chan struct{}), copied: make(chan struct{})}
}

// begin sends the command and starts copying. It does not block.
func (p *pipes) begin(line string) {
	stdout, stderr := &output{to: p.cmd.Stdout}, &output{to: p.cmd.Stderr}
	if sameWriter(p.cmd.Stdout, p.cmd.Stderr) {
		stderr = stdout
	}
	p.outputs = []*output{stdout, stderr}
	go func() {
		defer close(p.fed)
		p.feed(line)
	}()
	var outputs sync.WaitGroup
	outputs.Go(func() { p.drain(p.shell.stdout, stdout, "stdout") })
	outputs.Go(func() {
		// The hello that says that the command's line was read; from then on it is the command's stderr.
		if _, _, err := skipTo(p.shell.stderr, hello); err != nil {
			return
		}
		p.started.Store(true)
		p.drain(p.shell.stderr, io.MultiWriter(p.tail, stderr), "stderr")
	})
	go func() {
		outputs.Wait()
		close(p.copied)
	}()
}

// feed sends the command and its stdin. A failed write is no matter: the command has ended, or reads
// no further.
func (p *pipes) feed(line string) {
	if _, err := io.WriteString(p.shell.channel, line); err != nil {
		return
	}
	if p.cmd.Stdin == nil {
		p.shell.channel.CloseWrite()
		return
	}
	buf := make([]byte, 32<<10)
	for {
		p.reading.Store(true)
		n, err := p.cmd.Stdin.Read(buf)
		p.reading.Store(false)
		if n > 0 {
			if _, err := p.shell.channel.Write(buf[:n]); err != nil {
				return
			}
		}
		if err == io.EOF {
			p.shell.channel.CloseWrite()
			return
		}
		if err != nil {
			// No end of file: the command would take what it has for all there is.
			p.fail(fmt.Errorf("reading its stdin: %w", err))
			return
		}
	}
}

// drain copies one output to its end.
func (p *pipes) drain(from *bufio.Reader, to io.Writer, what string) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			_, werr := to.Write(buf[:n])
			p.moved.Add(int64(n))
			if werr != nil {
				p.fail(fmt.Errorf("writing its %s: %w", what, werr))
				to = io.Discard
			}
		}
		if err != nil {
			return
		}
	}
}

// finish returns when all output of a command that has exited was copied, or when what is left has been
// silent for a while, or goes on for too long: what the command left behind may print for ever. A writer that blocks is waited for until done is closed and a while longer. Then
// the session is closed, and nothing is written to the caller's writers any more.
func (p *pipes) finish(done <-chan struct{}, trail time.Duration) {
	last, began := p.moved.Load(), time.Now()
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for waiting := true; waiting; {
		select {
		case <-p.copied:
			waiting = false
			continue
		case <-timer.C:
			timer.Reset(linger)
		}
		now := p.moved.Load()
		busy := slices.ContainsFunc(p.outputs, (*output).busy)
		select {
		case <-done:
			waiting = false
		default:
			waiting = busy || now != last && time.Since(began) < trail
		}
		last = now
	}
	go p.shell.channel.Close()
	for _, o := range p.outputs {
		o.shut.Store(true)
	}
	if !p.reading.Load() {
		// It is writing to a session that is over, or about to end.
		select {
		case <-p.fed:
		case <-p.shell.ended:
		case <-done:
		}
	}
}

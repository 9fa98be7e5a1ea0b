package relay

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/labctl/labctl/internal/command"
)

// Serve accepts callers on l and runs what they ask for through runner, each beside the others,
// until ctx ends; then it closes l, ends what still runs and returns nil. The socket's permissions
// are what keeps strangers out: it belongs in a directory of mode 0700.
func Serve(ctx context.Context, l net.Listener, runner command.Runner) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var callers sync.WaitGroup
	defer callers.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		callers.Go(func() { serveOne(ctx, conn, runner) })
	}
}

func serveOne(ctx context.Context, conn net.Conn, runner command.Runner) {
	defer conn.Close()
	// A caller that goes away takes its command with it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := bufio.NewReader(conn)
	k, data, err := readFrame(in)
	var argv []string
	if err != nil || k != request || json.Unmarshal(data, &argv) != nil || len(argv) == 0 {
		return
	}
	back := &frames{w: conn}
	stdin, feed := io.Pipe()
	go func() {
		defer cancel()
		for {
			k, data, err := readFrame(in)
			switch {
			case err != nil:
				_ = feed.CloseWithError(io.ErrUnexpectedEOF)
				return
			case k == inputEnd:
				_ = feed.Close()
			case k == input:
				_, _ = feed.Write(data) // an error means that the command reads no more
			}
		}
	}()
	err = runner.Run(ctx, command.Command{Argv: argv, Stdin: stdin, Stdout: stream{back, output}, Stderr: stream{back, errput}})
	_ = stdin.Close()
	var status *command.ExitError
	var end ended
	switch {
	case errors.As(err, &status):
		end.Code = status.Code
	case err != nil:
		end = ended{Code: 125, Error: err.Error()} // docker's own code for a failure of docker
	}
	if raw, err := json.Marshal(end); err == nil {
		_ = back.send(exit, raw)
	}
}

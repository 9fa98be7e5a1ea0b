package relay

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

// Call has a command run by the server at the socket, with these streams, and returns its exit
// status. stdin may be nil. An error means that nobody knows how the command ended, or that it could
// not be run.
func Call(socket string, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 125, fmt.Errorf("reaching the labctl that has the connection: %w", err)
	}
	defer conn.Close()
	out := &frames{w: conn}
	raw, err := json.Marshal(argv)
	if err != nil {
		return 125, err
	}
	if err := out.send(request, raw); err != nil {
		return 125, fmt.Errorf("asking for %s: %w", argv[0], err)
	}
	go func() {
		if stdin != nil {
			_, _ = io.Copy(stream{out, input}, stdin)
		}
		_ = out.send(inputEnd, nil)
	}()
	in := bufio.NewReader(conn)
	for {
		k, data, err := readFrame(in)
		if err != nil {
			return 125, fmt.Errorf("%s: the labctl that has the connection is gone: %w", argv[0], err)
		}
		switch k {
		case output:
			_, err = stdout.Write(data)
		case errput:
			_, err = stderr.Write(data)
		case exit:
			var end ended
			if err := json.Unmarshal(data, &end); err != nil {
				return 125, err
			}
			if end.Error != "" {
				return end.Code, fmt.Errorf("%s: %s", argv[0], end.Error)
			}
			return end.Code, nil
		}
		if err != nil {
			return 125, err
		}
	}
}

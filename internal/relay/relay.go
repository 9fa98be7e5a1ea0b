// Package relay lets one process run commands through another's runner: the docker of kind's child
// and of a lab's shell hand their command to the labctl that has the connection to the host, over a
// unix socket. It knows nothing of docker; whoever serves decides what runs.
//
// A frame is a type byte, a length of four bytes (big endian) and that many bytes. The caller sends
// one request, then its standard input; the server sends output and in the end one exit frame.
package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

type kind byte

const (
	request  kind = 'r' // JSON: argv
	input    kind = 'i'
	inputEnd kind = 'e'
	output   kind = 'o'
	errput   kind = 'x'
	exit     kind = 'q' // JSON: how it ended
)

// maxFrame bounds what one frame may hold; a frame that says more is not ours.
const maxFrame = 1 << 20

// frames writes frames; several goroutines may.
type frames struct {
	mu sync.Mutex
	w  io.Writer
}

func (f *frames) send(k kind, data []byte) error {
	for {
		part := data[:min(len(data), maxFrame)]
		head := [5]byte{byte(k)}
		binary.BigEndian.PutUint32(head[1:], uint32(len(part)))
		f.mu.Lock()
		_, err := f.w.Write(append(head[:], part...))
		f.mu.Unlock()
		data = data[len(part):]
		if err != nil || len(data) == 0 {
			return err
		}
	}
}

// stream is a writer that makes frames of one kind.
type stream struct {
	to *frames
	k  kind
}

func (s stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return len(p), s.to.send(s.k, p)
}

func readFrame(r io.Reader) (kind, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes", size)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return kind(head[0]), data, nil
}

// ended is the content of the exit frame.
type ended struct {
	Code int `json:"code"`
	// Error says why there is no exit status: the command could not be run, or nobody knows how it
	// ended.
	Error string `json:"error,omitempty"`
}

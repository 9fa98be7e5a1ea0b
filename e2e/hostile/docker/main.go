// Command docker stands in for Docker's command line in the tests of hostile far sides. It keeps the containers,
// volumes and files of one engine in the folder engine beside its own, and answers what labctl asks, or says
// whatever the test wants it to say instead. It needs no environment, since labctl runs some commands without.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// The files of an engine's directory.
const (
	stateFile = "engine.json" // what it holds
	sayFile   = "behaviour"   // how it answers; absent: as an engine does
	callsFile = "calls"       // one line per command
)

// engine is everything that the engine holds.
type engine struct {
	Containers []*container      `json:"containers"`
	Volumes    []*volume         `json:"volumes"`
	Images     []*image          `json:"images"`
	Files      map[string]string `json:"files"` // "node:/path"
	Next       int               `json:"next"`
}

type container struct {
	ID, Name, Image, ImageID, State, Started string
	Labels                                   map[string]string
	Ports                                    map[string]string // "6443/tcp": "127.0.0.1:41000"
	Mounts                                   []string          // names of volumes
}

type volume struct {
	Name   string
	Labels map[string]string
}

type image struct {
	ID     string
	Names  []string
	Labels map[string]string
}

// failure is a command that ends with a message and a code other than 0.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

func fail(format string, args ...any) error { return failure{1, fmt.Sprintf(format, args...)} }

func main() {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "the docker of the tests:", err)
		os.Exit(99)
	}
	dir := filepath.Join(filepath.Dir(filepath.Dir(self)), "engine")
	args := os.Args[1:]
	note(dir, args)
	say, _ := os.ReadFile(filepath.Join(dir, sayFile))
	os.Exit(answer(dir, strings.TrimSpace(string(say)), args))
}

// note writes the command down.
func note(dir string, args []string) {
	f, err := os.OpenFile(filepath.Join(dir, callsFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%q\n", args)
}

// honest is what an engine answers.
func honest(dir string, args []string, in io.Reader) (string, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	path := filepath.Join(dir, stateFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	e := &engine{}
	if err := json.Unmarshal(raw, e); err != nil {
		return "", err
	}
	out, err := e.run(args, in)
	after, merr := json.Marshal(e)
	if merr != nil {
		return "", merr
	}
	if !bytes.Equal(raw, after) {
		if werr := os.WriteFile(path, after, 0o600); werr != nil {
			return "", werr
		}
	}
	return out, err
}

// finish prints what a command has to say and returns its exit code.
func finish(out string, err error) int {
	_, _ = io.WriteString(os.Stdout, out)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	var f failure
	if errors.As(err, &f) {
		return f.code
	}
	return 1
}

package main

import (
	"io"
	"regexp"
	"strings"
)

var (
	writes = regexp.MustCompile(`cat\s*>\s*"\$1\.tmp"\s*&&\s*mv .* sh (/\S+)$`)
	reads  = regexp.MustCompile(`cat (/\S+)\s*$`)
)

// place is where a file of the container's is kept: in its volume, where it has one, else in itself.
func (x *container) place(path string) string {
	if len(x.Mounts) > 0 && strings.HasPrefix(path, "/var/lib/") {
		return x.Mounts[0] + ":" + path
	}
	return x.Name + ":" + path
}

// exec runs a command in a container: it knows how to read and write a file.
func (e *engine) exec(args []string, in io.Reader) (string, error) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] == "-e" || args[0] == "--env" || args[0] == "-w" || args[0] == "-u" {
			args = args[1:]
		}
		args = args[1:]
	}
	if len(args) < 2 {
		return "", fail("docker exec requires a container and a command")
	}
	x := e.find(args[0])
	if x == nil {
		return "", fail("Error: No such container: %s", args[0])
	}
	if x.State != "running" {
		return "", fail("Error response from daemon: container %s is not running", x.Name)
	}
	line := strings.Join(args[1:], " ")
	if m := writes.FindStringSubmatch(line); m != nil {
		text, err := io.ReadAll(in)
		e.Files[x.place(m[1])] = string(text)
		return "", err
	}
	if m := reads.FindStringSubmatch(line); m != nil {
		text, is := e.Files[x.place(m[1])]
		if !is {
			return "", fail("cat: %s: No such file or directory", m[1])
		}
		return text, nil
	}
	if strings.HasPrefix(line, "getent hosts") {
		return "", failure{2, ""}
	}
	return "", nil
}

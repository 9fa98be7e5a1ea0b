package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Nasty is text that a terminal would obey: colours, a title, a cleared screen, C1 (as UTF-8 and as raw
// bytes), DEL, a backspace and a return over what was printed, and marks that turn the writing round.
const nasty = "\x1b[2J\x1b[31mred\x1b]0;owned\x07\u009b31m\u0085\x9b31m\x7f\b\rover\u202eturned\u2066\u200f"

// whole is how much an endless answer has.
const whole = 10 << 30

// answer says what the behaviour wants to be said. "node:" before it limits it to commands inside a node.
func answer(dir, say string, args []string) int {
	if inside, is := strings.CutPrefix(say, "node:"); is {
		say = inside
		if args[0] != "exec" {
			say = ""
		}
	}
	switch say {
	case "refuses":
		return finish("", failure{1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"})
	case "exit-1":
		os.Exit(1)
	case "exit-125":
		return finish("", failure{125, "docker: Error response from daemon: nothing that anybody knows."})
	case "exit-0":
		return 0
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		hold()
	case "silent":
		hold()
	case "drops-output": // a grandchild keeps the pipes open after docker has ended
		detach()
		return 0
	case "endless":
		return endless(os.Stdout)
	case "endless-lines":
		return endlessLines(os.Stdout)
	case "endless-stderr":
		endless(os.Stderr)
		return 1
	case "html":
		return finish("<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\n", nil)
	case "nasty-stderr":
		return finish("", failure{1, "Error response from daemon: " + nasty})
	}
	out, err := honest(dir, args, os.Stdin)
	var f failure
	if err != nil && !errors.As(err, &f) {
		fmt.Fprintln(os.Stderr, "the docker of the tests:", err)
		os.Exit(99)
	}
	switch say {
	case "half":
		return finish(out[:len(out)/2], err)
	case "half-silent":
		_, _ = io.WriteString(os.Stdout, out[:len(out)/2])
		hold()
	case "nasty":
		return finish(nastyValues(out), err)
	case "types":
		return finish(otherTypes(out), err)
	case "foreign":
		return finish(strings.NewReplacer("labctl.lab=hostile", "labctl.lab=theirs", "labctl.owner=tester", "labctl.owner=somebody").Replace(out), err)
	case "other-ids":
		return finish(ids.ReplaceAllString(out, "../../../../../tmp/canary --volume /:/host"), err)
	case "huge":
		return huge(out, err)
	case "trickle":
		for _, b := range []byte(out) {
			_, _ = os.Stdout.Write([]byte{b})
			time.Sleep(time.Second)
		}
		return finish("", err)
	}
	return finish(out, err)
}

// endless writes without a newline until nobody reads any more.
func endless(to *os.File) int { return repeat(to, strings.Repeat("A", 1<<20)) }

func endlessLines(to *os.File) int {
	return repeat(to, strings.Repeat(`{"id":"0123","name":"x","image":"y","state":"running","labels":""}`+"\n", 1<<12))
}

func repeat(to *os.File, block string) int {
	for written := 0; written < whole; written += len(block) {
		if written > 600<<20 {
			time.Sleep(10 * time.Millisecond) // who keeps it has been found out; the others need the machine
		}
		if _, err := to.WriteString(block); err != nil {
			return 1
		}
	}
	return 0
}

// detach leaves a process that holds the output open.
func detach() {
	self, err := os.Executable()
	if err != nil {
		os.Exit(99)
	}
	_, err = os.StartProcess("/bin/sleep", []string{"sleep", "20"}, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Dir: "/"})
	if err != nil {
		fmt.Fprintln(os.Stderr, self, err)
	}
}

var (
	ids     = regexp.MustCompile(`[0-9a-f]{64}`)
	quoted  = regexp.MustCompile(`"(id|name|state|image|ServerVersion|CgroupVersion|Architecture)":"([^"]*)"`)
	texts   = regexp.MustCompile(`":"[^"]*"`)
	numbers = regexp.MustCompile(`":(\d+)`)
)

// nastyValues puts text that a terminal obeys behind every value, and into lines that are not JSON.
func nastyValues(out string) string {
	escaped := ""
	for _, r := range nasty {
		escaped += fmt.Sprintf(`\u%04x`, r)
	}
	if strings.HasPrefix(strings.TrimSpace(out), "{") {
		return quoted.ReplaceAllString(out, `"$1":"$2`+strings.ReplaceAll(escaped, `\`, `\`)+`"`)
	}
	return strings.ReplaceAll(out, "\n", nasty+"\n")
}

// otherTypes makes numbers of strings and strings of numbers.
func otherTypes(out string) string {
	return texts.ReplaceAllString(numbers.ReplaceAllString(out, `":"$1"`), `":[7]`)
}

// huge repeats what was answered.
func huge(out string, err error) int {
	for range 200_000 {
		if _, werr := io.WriteString(os.Stdout, out); werr != nil {
			return 1
		}
	}
	return finish("", err)
}

// hold waits until it is killed.
func hold() {
	for {
		time.Sleep(time.Hour)
	}
}

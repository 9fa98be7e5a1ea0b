//go:build e2e

package ssh

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/command"
)

// nasty are arguments that mean something to some shell.
var nasty = []string{
	"", " ", "  two  words ", "'", "''", `'\''`, `"`, `\`, `\\`, `\n`, "\n", "\n\n", "a\nb\n", "\t", "\r", "\r\n",
	"$HOME", "${HOME}", "$(id)", "`id`", "!!", "!x", "~", "~root", "*", "?", "[a-z]", "{a,b}", "#", "# no", "a;b", "a&b", "a|b",
	"<x", ">x", "(", ")", "-n", "--", "-", "=", "a=b", "%s", "%%", `\0`, `\c`, "$labctl_n", "labctl-shell", "\x7f", "\x1b[31m",
	"é", "日本", "\xff", "\xc3", "\x80", "\x81\x82\x83\x84\x85\x86\x87\x88", "a\x81b\x88\\\x82'", "\u0081", "\U0001f600",
	strings.Repeat("x", 100_000), strings.Repeat("'\n", 2_000),
}

// throughShell runs printf with the arguments the way a host does, by shell, and returns what it was given.
func throughShell(t *testing.T, shell string, args []string) []string {
	t.Helper()
	cmd := command.Command{Argv: append([]string{"printf", `%s\0`}, args...), Stdin: strings.NewReader(""), Stdout: new(bytes.Buffer)}
	line, err := commandLine(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(line, "\n") != 1 {
		t.Fatalf("%q is not one line", line)
	}
	// shell is the login shell, as sshd runs it, and the sh as well.
	script := strings.ReplaceAll(commandScript, "/bin/sh", shell)
	sh := exec.Command(shell, "-c", script)
	sh.Stdin = strings.NewReader(line + "what is left is the command's")
	var stderr bytes.Buffer
	sh.Stderr = &stderr
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", shell, err, &stderr)
	}
	_, printed, _ := strings.Cut(string(out), "\n") // the hello
	return strings.Split(strings.TrimSuffix(printed, "\x00"), "\x00")
}

func checkQuoting(t *testing.T, shell string, args []string) {
	t.Helper()
	got := throughShell(t, shell, args)
	if len(got) != len(args) {
		t.Fatalf("%s made %d arguments of the %d in %q: %q", shell, len(got), len(args), args, got)
	}
	for i := range args {
		if got[i] != args[i] {
			t.Errorf("%s made %.200q of %.200q", shell, got[i], args[i])
		}
	}
}

// shells are those of this machine that may be a host's /bin/sh.
func shells() []string {
	found := []string{"/bin/sh"}
	for _, path := range []string{"/bin/dash", "/bin/bash", "/bin/mksh", "/bin/ksh", "/bin/zsh"} {
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	return found
}

func TestQuoting(t *testing.T) {
	for _, shell := range shells() {
		t.Logf("by %s", shell)
		checkQuoting(t, shell, nasty)
		every := make([]string, 255)
		for i := range every {
			every[i] = string([]byte{byte(i + 1)})
		}
		checkQuoting(t, shell, every)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		args := make([]string, 1+random.IntN(10))
		for i := range args {
			b := make([]byte, random.IntN(40))
			for j := range b {
				if b[j] = byte(1 + random.IntN(255)); random.IntN(3) == 0 {
					b[j] = "'\"\\\n $`!"[random.IntN(8)]
				}
			}
			args[i] = string(b)
		}
		checkQuoting(t, "/bin/sh", args)
	}
}

func FuzzQuoting(f *testing.F) {
	for _, arg := range nasty {
		if len(arg) < 5_000 {
			f.Add(arg, "x")
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			if _, err := commandLine(command.Command{Argv: []string{"echo", a, b}}); err == nil {
				t.Error("a NUL byte is accepted")
			}
			return
		}
		for _, shell := range shells() {
			checkQuoting(t, shell, []string{a, b})
		}
	})
}

// The same through an sshd, with whatever login shell the user has.
func TestQuotingThroughSSH(t *testing.T) {
	c := startServer(t).dial(t)
	var out bytes.Buffer
	if err := c.Run(background(t, time.Minute), command.Command{Argv: append([]string{"printf", `%s\0`}, nasty...), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00")
	if len(got) != len(nasty) {
		t.Fatalf("%d arguments arrive as %d", len(nasty), len(got))
	}
	for i := range nasty {
		if got[i] != nasty[i] {
			t.Errorf("%.200q arrives as %.200q", nasty[i], got[i])
		}
	}
}

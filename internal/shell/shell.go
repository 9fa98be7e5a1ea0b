// Package shell starts a user's own shell, with his own start files, and holds it to a lab: whatever those
// files do, the lab's variables and commands come last. It asks the shell itself whether that is so before
// anybody types into it, and knows a plain one for shells that cannot be held. It knows nothing of labs.
//
// What somebody does later in the shell is his own business: nothing is enforced once the prompt is there.
package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// NotHeld is the exit code of a shell that found, at its first prompt, that it is not as it should be.
const NotHeld = 97

// probeEnv, where set, makes the shell end at its first prompt.
const probeEnv = "LABCTL_SHELL_PROBE"

// What a shell says of itself, in the file of Hold.verdict.
const (
	heldWord      = "held"
	elsewhereWord = "elsewhere"
)

// Hold is what a shell is held to.
type Hold struct {
	Lab      string   // shown in the prompt
	Files    string   // an empty directory for start files, nobody else's
	Dir      string   // the working directory
	Path     string   // the directory that comes first on the PATH
	Commands []string // must be found there, not as alias, function or elsewhere
	Env      []string // the whole environment, KEY=VALUE; PATH has Path in front
	Pinned   []string // variables that have the value of Env after the start files, or none
}

// Start is how a shell is started.
type Start struct {
	Argv, Env []string
}

// flavour is a kind of shell: how it is made to read our file after the user's own.
type flavour struct {
	// names of the programs.
	names []string
	start func(h Hold, program string, interactive bool) (Start, error)
}

func flavours() []flavour {
	return []flavour{
		{[]string{"bash"}, Hold.bash},
		{[]string{"zsh"}, Hold.zsh},
		{[]string{"fish"}, Hold.fish},
		{[]string{"sh", "dash", "ash", "ksh", "mksh"}, Hold.sh},
	}
}

// Known reports whether a program is a shell that can be started by Start.
func Known(program string) bool {
	return slices.ContainsFunc(flavours(), func(f flavour) bool { return slices.Contains(f.names, filepath.Base(program)) })
}

// Start prepares a shell: it writes the start files. The program is one that Known knows.
func (h Hold) Start(program string, interactive bool) (Start, error) {
	for _, f := range flavours() {
		if slices.Contains(f.names, filepath.Base(program)) {
			return f.start(h, program, interactive)
		}
	}
	return Start{}, fmt.Errorf("%s is a shell that cannot be held", program)
}

// Plain prepares a shell that reads no file of anybody's: bash where it is named, else a POSIX shell. It is as
// it should be by what it is started with.
func (h Hold) Plain(program string, interactive bool) Start {
	argv, prompt := []string{program}, "("+h.Lab+") $ "
	if filepath.Base(program) == "bash" {
		argv, prompt = append(argv, "--noprofile", "--norc"), "("+h.Lab+`) \w \$ `
	}
	if interactive {
		argv = append(argv, "-i")
	}
	return Start{argv, append(h.env("PROMPT_COMMAND", "PS0", "PS1"), "PS1="+prompt)}
}

// startFile reports whether a variable names a file or code that shells run unasked.
func startFile(name string) bool {
	return name == "ENV" || name == "BASH_ENV" || name == probeEnv || strings.HasPrefix(name, "BASH_FUNC_kubectl") || strings.HasPrefix(name, "BASH_FUNC_docker")
}

// Environ is the environment of a command in the lab that is no shell: without what would make a script's
// shell run files or functions of the user's.
func Environ(env []string) []string { return without(env, startFile) }

func without(env []string, drop func(name string) bool) []string {
	var kept []string
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); !drop(name) {
			kept = append(kept, kv)
		}
	}
	return kept
}

func (h Hold) env(but ...string) []string {
	return without(h.Env, func(name string) bool { return startFile(name) || slices.Contains(but, name) })
}

// value is a variable's in the lab's environment.
func (h Hold) value(name string) (value string, set bool) {
	for _, kv := range h.Env {
		if key, v, _ := strings.Cut(kv, "="); key == name {
			value, set = v, true
		}
	}
	return value, set
}

// write writes a start file, for its owner alone.
func (h Hold) write(name, text string) (path string, err error) {
	path = filepath.Join(h.Files, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("preparing the shell: %w", err)
	}
	return path, nil
}

// verdict is the file in which a shell says whether it is held.
func (h Hold) verdict() string { return filepath.Join(h.Files, "verdict") }

// Left reports whether the shell that ran last ended itself because it was not held, after all.
func (h Hold) Left() bool {
	said, _ := os.ReadFile(h.verdict())
	return strings.TrimSpace(string(said)) == elsewhereWord
}

// restore are the lines, for a POSIX shell, that put the variables, the PATH and the working directory back.
// cd is the command for the last.
func (h Hold) restore(cd string) string {
	var b strings.Builder
	for _, name := range h.Pinned {
		if value, set := h.value(name); set {
			fmt.Fprintf(&b, "export %s=%s\n", name, shellescape.Quote(value))
		} else {
			fmt.Fprintf(&b, "unset %s\n", name)
		}
	}
	fmt.Fprintf(&b, "export PATH=%s:\"$PATH\"\n%s %s\n", shellescape.Quote(h.Path), cd, shellescape.Quote(h.Dir))
	return b.String()
}

// verify is the condition, for a POSIX shell, that all is as it should be.
func (h Hold) verify() string {
	var all []string
	for _, name := range h.Pinned {
		value, set := h.value(name)
		if set {
			all = append(all, fmt.Sprintf(`[ "${%s-}" = %s ]`, name, shellescape.Quote(value)))
		} else {
			all = append(all, fmt.Sprintf(`[ -z "${%s+set}" ]`, name))
		}
	}
	for _, command := range h.Commands {
		all = append(all, fmt.Sprintf(`[ "$(command -v %s)" = %s ]`, command, shellescape.Quote(filepath.Join(h.Path, command))))
	}
	return strings.Join(all, " &&\n\t")
}

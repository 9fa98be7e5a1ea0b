//go:build e2e

package shell

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// place is a lab's surroundings and a user's home, with commands that say which they are.
type place struct {
	Hold
	home string
}

func newPlace(t *testing.T, more ...string) *place {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{home: filepath.Join(root, "home")}
	for _, dir := range []string{"home", "home/else where", "home/evil", "lab", "lab/path", "lab/files", "work here"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"kubectl", "docker"} {
		for dir, who := range map[string]string{"lab/path": "LAB", "home/evil": "EVIL"} {
			script := fmt.Sprintf("#!/bin/sh\necho \"<%s %s KUBECONFIG=$KUBECONFIG DOCKER_HOST=$DOCKER_HOST PWD=$PWD>\"\n", who, command)
			if err := os.WriteFile(filepath.Join(root, dir, command), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(root, "lab/path")
	p.Hold = Hold{
		Lab: "day10", Files: filepath.Join(root, "lab/files"), Dir: filepath.Join(root, "work here"), Path: path,
		Commands: []string{"kubectl", "docker"}, Pinned: []string{"KUBECONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "LABCTL_LAB", "LABCTL_SSH_ARGS"},
		Env: append([]string{"HOME=" + p.home, "TERM=xterm", "PATH=" + path + ":/usr/bin:/bin", "KUBECONFIG=/lab's/config", "LABCTL_LAB=day10", "LABCTL_SSH_ARGS=-i\na b", "DOCKER_CONTEXT=default"}, more...),
	}
	return p
}

func (p *place) file(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(p.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "HOME/", p.home+"/")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// asked is what is typed, and answer what a held shell says to it.
const asked = "kubectl\ndocker\n"

func (p *place) answer(command string) string {
	return "<LAB " + command + " KUBECONFIG=/lab's/config DOCKER_HOST= PWD=" + p.Dir + ">"
}

// typed runs a shell on a terminal, types and returns all that was shown.
func (p *place) typed(t *testing.T, s Start) string {
	t.Helper()
	master, terminal, err := OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.Argv[0], s.Argv[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.Env, p.Dir, terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	if _, err := master.WriteString(asked + "exit\n"); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		shown.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); ctx.Err() != nil {
		t.Errorf("the shell does not end: %v", err)
	}
	return shown.String()
}

// piped runs a shell with the same as its input.
func (p *place) piped(t *testing.T, s Start) string {
	t.Helper()
	cmd := exec.Command(s.Argv[0], s.Argv[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdin = s.Env, p.Dir, strings.NewReader(asked)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return string(out)
}

// files are start files of each shell, all that it reads, with the same mischief in them.
var posixMischief = `export KUBECONFIG=HOME/evil/config DOCKER_HOST=tcp://evil:1 LABCTL_LAB=other
unset DOCKER_CONTEXT
kubectl() { HOME/evil/kubectl "$@"; }
docker() { HOME/evil/docker "$@"; }
PATH=HOME/evil:$PATH
cd 'HOME/else where'
echo welcome
alias kubectl='HOME/evil/kubectl' docker='HOME/evil/docker' unset=false export=false cd=false unalias=false
`

func hostileFiles(t *testing.T, shell string) *place {
	t.Helper()
	p := newPlace(t)
	switch shell {
	case "bash":
		p.file(t, ".bashrc", posixMischief+"builtin() { :; }\nunalias cd\ncd() { :; }\nhash -p HOME/evil/kubectl kubectl\nset -u\n")
		p.file(t, "bash_env", posixMischief)
		p.Env = append(p.Env, "BASH_ENV="+p.home+"/bash_env", "ENV="+p.home+"/bash_env", "BASH_FUNC_kubectl%%=() { "+p.home+"/evil/kubectl; }")
	case "zsh":
		p.file(t, ".zshenv", posixMischief+"ZDOTDIR=HOME/zdot\n")
		p.file(t, "zdot/.zshrc", "unalias -m '*'\n"+posixMischief+"alias -g kubectl=HOME/evil/kubectl\nhash kubectl=HOME/evil/kubectl\nchpwd() { export KUBECONFIG=moved }\nsetopt err_exit nounset\n")
	case "fish":
		p.file(t, ".config/fish/config.fish", `set -gx KUBECONFIG HOME/evil/config
set -Ux DOCKER_HOST tcp://evil:1
set -gx LABCTL_LAB other
set -e DOCKER_CONTEXT
function docker; HOME/evil/docker $argv; end
abbr -a kubectl HOME/evil/kubectl
function cd; end
fish_add_path -m HOME/evil
builtin cd 'HOME/else where'
echo welcome
`)
		p.file(t, ".config/fish/functions/kubectl.fish", "function kubectl; HOME/evil/kubectl $argv; end\n")
	default:
		p.file(t, "shrc", posixMischief+"command() { :; }\nset -u\n")
		p.Env = append(p.Env, "ENV="+p.home+"/shrc")
	}
	return p
}

func program(t *testing.T, shell string) string {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Fatalf("this test needs %s: scripts/test-tools.sh installs it", shell)
	}
	return path
}

func TestWhateverTheStartFilesDo(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "sh", "dash"} {
		for _, interactive := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s interactive=%v", shell, interactive), func(t *testing.T) {
				t.Parallel()
				p := hostileFiles(t, shell)
				s, err := p.Start(program(t, shell), interactive)
				if err != nil {
					t.Fatal(err)
				}
				run := p.piped
				if interactive {
					if err := p.Probe(t.Context(), s); err != nil {
						t.Errorf("the shell is not held: %v", err)
					}
					run = p.typed
				}
				shown := run(t, s)
				for _, command := range p.Commands {
					if !strings.Contains(shown, p.answer(command)) || strings.Contains(shown, "EVIL") {
						t.Errorf("%s is not the lab's:\n%s", command, shown)
					}
				}
				if interactive && (!strings.Contains(shown, "(day10) ") || !strings.Contains(shown, "welcome")) {
					t.Errorf("the prompt lacks the lab, or the user's files were not read:\n%s", shown)
				}
				files, err := os.ReadDir(p.Files)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
						t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
					}
				}
			})
		}
	}
}

// TestShellsThatCannotBeHeld: start files that nobody can undo are found out before the prompt.
func TestShellsThatCannotBeHeld(t *testing.T) {
	for name, c := range map[string]struct{ shell, file, text, says string }{
		"bash, read-only":      {"bash", ".bashrc", "readonly KUBECONFIG=/evil", "elsewhere"},
		"bash, exec":           {"bash", ".bashrc", "exec sh -i", "come to an end"},
		"bash, a shell below":  {"bash", ".bashrc", "sh -i", "come to an end"},
		"bash, exit":           {"bash", ".bashrc", "exit", "end it"},
		"bash, exec on a tty":  {"bash", ".bashrc", "[ -t 0 ] && [ -t 1 ] && exec true", "end it"},
		"bash, each prompt":    {"bash", ".bashrc", "PROMPT_COMMAND='export KUBECONFIG=/evil'", "elsewhere"},
		"bash, its function":   {"bash", ".bashrc", "kubectl() { :; }; readonly -f kubectl", "elsewhere"},
		"zsh, read-only":       {"zsh", ".zshrc", "readonly KUBECONFIG=/evil", ""},
		"zsh, exec":            {"zsh", ".zshrc", "exec sh -i", "come to an end"},
		"zsh, no more files":   {"zsh", ".zshenv", "export KUBECONFIG=/evil; unsetopt rcs", "come to an end"},
		"zsh, each prompt":     {"zsh", ".zshrc", "precmd() { export KUBECONFIG=/evil }", "elsewhere"},
		"fish, exec":           {"fish", ".config/fish/config.fish", "exec sh -i", "come to an end"},
		"fish, each prompt":    {"fish", ".config/fish/config.fish", "function x --on-event fish_prompt; set -gx KUBECONFIG /evil; end", "elsewhere"},
		"dash, read-only":      {"dash", "shrc", "readonly KUBECONFIG=/evil", ""},
		"dash, exec":           {"dash", "shrc", "exec sh -i", "come to an end"},
		"bash, waits for ever": {"bash", ".bashrc", "read line", "come to an end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.Env = append(p.Env, "ENV="+p.home+"/shrc")
			p.file(t, c.file, c.text+"\n")
			s, err := p.Start(program(t, c.shell), true)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, fmt.Errorf("its start files do not come to an end"))
			defer cancel()
			if err := p.Probe(ctx, s); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			// What is taken instead reads none of them.
			for _, plain := range []string{"bash", "sh"} {
				shown := p.typed(t, p.Plain(program(t, plain), true))
				if !strings.Contains(shown, p.answer("kubectl")) || !strings.Contains(shown, "(day10) ") {
					t.Errorf("the plain %s:\n%s", plain, shown)
				}
			}
		})
	}
}

// Package lab is a lab as one thing: it opens one from its file or as it was applied, finds those that exist, and
// provisions, verifies, stops, starts and destroys them. It takes options and an event sink and returns typed
// results, whose JSON forms are the documented ones of `-o json`. It prints nothing, asks nobody but through
// Machine.Confirm, knows no flags and reads no state of the process.
package lab

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision/ec2"
)

// FewTries is how often AWS is asked what is only to be shown. All the tries that an act is worth take half a minute.
const FewTries = 2

// Machine is this machine as labs see it: who works on it, its environment and whom to tell. Its fields are set
// before its first use and not changed; its methods are safe for concurrent use.
type Machine struct {
	// Version is labctl's own.
	Version string
	// Environ is the environment as "key=value"; docker, kubectl and labctl's directory are found by it. AWS's credentials are
	// not: the SDK reads the process's own environment and files.
	Environ []string
	// Owner is whose labs are meant where somebody said so; empty: the operating system's user, on AWS the caller's ARN.
	Owner string
	// Command is what was typed, for whoever finds a lab locked: "labctl up day10.hcl".
	Command string
	// Events is told of all that is done.
	Events event.Sink
	// Confirm answers a question about a lab's host, which costs money; it is set wherever a host is made or changed. An
	// error ends what asked.
	Confirm func(context.Context, ec2.Question) (bool, error)
	// Attempts is how often a call to AWS is made when it fails; 0: as often as an act is worth.
	Attempts int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Getenv returns the last value of a variable of the environment, "" when it is not set.
func (m *Machine) Getenv(name string) string { return command.Process{Environ: m.Environ}.Getenv(name) }

func (m *Machine) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Home returns labctl's directory.
func (m *Machine) Home() (state.Home, error) {
	dir, err := state.DefaultDir(m.Getenv)
	return state.Home{Dir: dir, Now: m.now}, err
}

// owner returns whose labs are meant on this machine: Owner, else the operating system's user.
func (m *Machine) owner() (string, error) {
	if m.Owner != "" {
		// Docker prints labels joined by commas.
		if strings.ContainsAny(m.Owner, ",=\n\"") {
			return "", clierr.New(clierr.Usage, "owner %q holds a comma, a quote, a line break or an equals sign", m.Owner)
		}
		return m.Owner, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", clierr.New(clierr.Usage, "finding out who you are: %w", err).WithNext("Pass --owner NAME.")
	}
	return u.Username, nil
}

// Docker returns this machine's engine as its docker command reaches it, and the path of that command. Without
// one every call fails as it does without an engine, and the path is not absolute.
func (m *Machine) Docker() (*docker.Engine, string) {
	path := m.LookPath("docker")
	return &docker.Engine{Runner: command.Local{Docker: path, Env: m.Environ}}, path
}

// LookPath finds a program on the PATH, but never labctl itself, which is called docker and kubectl in places.
// One that is not found is returned as it is.
func (m *Machine) LookPath(program string) string {
	self, _ := os.Executable()
	for _, dir := range filepath.SplitList(m.Getenv("PATH")) {
		if dir == "" {
			continue
		}
		found, err := exec.LookPath(dir + "/" + program)
		if err == nil && !same(found, self) {
			return found
		}
	}
	return program
}

func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// aws says how AWS is reached in a region.
func (m *Machine) aws(region string) ec2.ClientOptions {
	return ec2.ClientOptions{Region: region, Attempts: m.Attempts, OnRetry: func(text string) {
		m.Events.Emit(event.Notice{Text: text, Warning: true})
	}}
}

// holder says who locks a lab, for whoever finds it locked.
func (m *Machine) holder(owner string) state.Holder {
	host, _ := os.Hostname()
	return state.Holder{PID: os.Getpid(), User: owner, Host: host, Command: m.Command, Since: m.now()}
}

// pick returns the name of the lab that is meant: name, else $LABCTL_LAB, else the only one that is remembered.
func (m *Machine) pick(ctx context.Context, name string) (string, error) {
	if name = cmp.Or(name, m.Getenv("LABCTL_LAB")); name != "" {
		return name, nil
	}
	home, err := m.Home()
	if err != nil {
		return "", err
	}
	labs, err := home.Labs()
	if err != nil {
		return "", err
	}
	labs = slices.DeleteFunc(labs, func(name string) bool {
		_, err := home.Lab(name).Load()
		return errors.Is(err, fs.ErrNotExist)
	})
	switch len(labs) {
	case 0:
		if err := m.explainStateless(ctx, ""); err != nil {
			return "", err
		}
		return "", clierr.New(clierr.Usage, "no lab is up").WithNext("`labctl up day10.hcl --local` starts one.")
	case 1:
		return labs[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(labs, ", ")).
		WithNext("Say which with --lab NAME.")
}

// explainStateless explains that labctl's files of a lab (of any, without a name) are lost while its containers
// are there: without them nobody knows what the lab should be. It is nil when there are none.
func (m *Machine) explainStateless(ctx context.Context, name string) error {
	located, err := m.locate(ctx, name)
	if err != nil {
		return err
	}
	for _, f := range located.Labs {
		if f.Mine && f.State == nil && len(f.Containers) > 0 {
			return clierr.New(clierr.Usage, "containers of lab %s are there, but labctl has no state of it", f.Lab).
				WithNext("`labctl up` with its lab file takes it up again; `labctl down %s` removes it.", f.Lab)
		}
	}
	return nil
}

// Named returns the name of the lab that an argument of `down` means: a lab's name or the file that it was made
// from, which may be gone; without an argument the only lab that is there, empty for none. parse reads the file of
// a lab that this machine does not remember, and returns its name.
func (m *Machine) Named(ctx context.Context, arg string, parse func(file string) (string, error)) (string, error) {
	if arg != "" {
		return m.named(arg, parse)
	}
	located, err := m.locate(ctx, "")
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range located.Labs {
		if f.Mine || f.State != nil {
			names = append(names, f.Lab)
		}
	}
	slices.Sort(names)
	switch names = slices.Compact(names); {
	case located.Engine != nil && len(names) == 0:
		return "", engineAway(located.Engine)
	case len(names) == 0:
		return "", nil
	case len(names) == 1:
		return names[0], nil
	}
	return "", clierr.New(clierr.Usage, "several labs are up: %s", strings.Join(names, ", ")).WithNext("Say which: labctl down NAME.")
}

func (m *Machine) named(arg string, parse func(file string) (string, error)) (string, error) {
	home, err := m.Home()
	if err != nil {
		return "", err
	}
	known, err := home.Labs()
	if err != nil || slices.Contains(known, arg) {
		return arg, err
	}
	var fromFile []string
	for _, name := range known {
		st, err := home.Lab(name).Load()
		if err == nil && (st.File == absolute(arg) || filepath.Base(st.File) == filepath.Base(arg) && strings.HasPrefix(st.File, "embedded:")) {
			fromFile = append(fromFile, name)
		}
	}
	switch {
	case len(fromFile) == 1:
		return fromFile[0], nil
	case len(fromFile) > 1:
		return "", clierr.New(clierr.Usage, "several labs were made from %s: %s", arg, strings.Join(fromFile, ", ")).WithNext("Say which: labctl down NAME.")
	case !strings.HasSuffix(arg, ".hcl") && !strings.ContainsRune(arg, filepath.Separator) && arg != labfile.Stdin:
		return arg, nil // its state may be lost; the marks will tell
	}
	return parse(arg)
}

package ssh

import (
	"errors"
	"fmt"
	"strings"

	"github.com/labctl/labctl/internal/command"
)

// The two programs that a host is asked to run. They are handed to the user's login shell, whichever that
// is, so they hold nothing that shells read differently between single quotes: no single quote, no
// backslash, no exclamation mark, no newline.
//
// Both say a word on stdout and stderr first: what a login shell's start-up files print comes before it.
const (
	hello = "labctl-shell"

	// commandScript waits for a command, as one line on its stdin, says that it has it, and becomes it. It
	// leads its own process group (sshd calls setsid), whose number is its process id. A shell's read takes
	// no byte beyond the newline, so what follows is the command's own stdin.
	commandScript = `exec /bin/sh -c 'labctl_n=$(echo; echo .); labctl_n=${labctl_n%.}; ` +
		`echo ` + hello + ` $$; echo ` + hello + ` >&2; ` +
		`IFS= read -r labctl_l || exit 0; echo ` + hello + ` >&2; eval "$labctl_l"'`

	// reaperScript keeps the list of running process groups ("+ N", "- N"), signals them ("TERM N"), and when
	// its stdin ends, because the connection did, ends those that still run.
	reaperScript = `exec /bin/sh -c 'r=" "; echo ` + hello + ` $$; echo ` + hello + ` >&2; ` +
		`while read -r v p; do case $v in +) r="$r$p ";; -) r="${r%% $p *} ${r#* $p }";; ` +
		`*) kill -s $v -- -$p 2>/dev/null;; esac; done; ` +
		`[ "$r" = " " ] && exit 0; ` +
		`for p in $r; do kill -s TERM -- -$p 2>/dev/null; done; sleep 2; ` +
		`for p in $r; do kill -s KILL -- -$p 2>/dev/null; done'`
)

// commandLine returns the line that makes commandScript become the command.
func commandLine(c command.Command) (string, error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return "", errors.New("running a command on a host: no command")
	}
	if strings.HasPrefix(c.Argv[0], "-") {
		return "", fmt.Errorf("running %q on a host: a command's name cannot begin with a dash", c.Argv[0])
	}
	var b strings.Builder
	name := quote(c.Argv[0])
	// In the words of os/exec, so that a missing command reads alike here and there.
	fmt.Fprintf(&b, `command -v %s >/dev/null 2>&1 || { printf 'exec: "%%s": executable file not found in $PATH\n' %s >&2; exit 127; }; exec`, name, name)
	for i, arg := range c.Argv {
		if strings.IndexByte(arg, 0) >= 0 {
			return "", fmt.Errorf("running %s on a host: argument %d holds a NUL byte, which no command can be given", c.Argv[0], i)
		}
		b.WriteByte(' ')
		b.WriteString(quote(arg))
	}
	if c.Stdin == nil {
		b.WriteString(" </dev/null")
	}
	if c.Stdout == nil {
		b.WriteString(" >/dev/null")
	}
	b.WriteByte('\n')
	return b.String(), nil
}

// quoting undoes what single quotes cannot hold: a single quote, and a newline, which would end the line.
var quoting = strings.NewReplacer("'", `'\''`, "\n", `'"$labctl_n"'`)

// quote returns one word of a POSIX shell that stands for arg, on one line.
func quote(arg string) string { return "'" + quoting.Replace(arg) + "'" }

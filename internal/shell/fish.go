package shell

import (
	"fmt"
	"path/filepath"
	"strings"
)

// fish reads its configuration in any case, and after that runs what --init-command says.
func (h Hold) fish(program string, interactive bool) (Start, error) {
	var b, wrong strings.Builder
	for _, name := range h.Pinned {
		fmt.Fprintf(&b, "set -e %s\n", name)
		if value, set := h.value(name); set {
			fmt.Fprintf(&b, "set -gx %s %s\n", name, fishQuote(value))
			fmt.Fprintf(&wrong, "test \"$%s\" = %s; or __labctl_wrong\n", name, fishQuote(value))
		} else {
			fmt.Fprintf(&wrong, "set -q %s; and __labctl_wrong\n", name)
		}
	}
	for _, command := range h.Commands {
		fmt.Fprintf(&b, "functions -e %[1]s\nabbr -e %[1]s 2>/dev/null\n", command)
		fmt.Fprintf(&wrong, "test (type -t %[1]s)(type -p %[1]s) = file%[2]s; or __labctl_wrong\n", command, fishQuote(filepath.Join(h.Path, command)))
	}
	text := b.String() + "set -gx PATH " + fishQuote(h.Path) + " $PATH\nbuiltin cd " + fishQuote(h.Dir) + `
if status is-interactive
	functions -q fish_prompt; and functions -c fish_prompt __labctl_own_prompt
	function fish_prompt
		printf '%s ' ` + fishQuote("("+h.Lab+")") + `
		functions -q __labctl_own_prompt; and __labctl_own_prompt; or printf '> '
	end
	function __labctl_asked --on-event fish_prompt
		functions -e __labctl_asked
		__labctl_verify
		if set -q ` + probeEnv + `; and not test -s ` + fishQuote(h.verdict()) + `
			echo ` + heldWord + ` >` + fishQuote(h.verdict()) + `
			exit 0
		end
	end
else
	__labctl_verify
end
`
	text = fmt.Sprintf("function __labctl_wrong\n\techo %s >%s\n\texit %d\nend\n", elsewhereWord, fishQuote(h.verdict()), NotHeld) +
		"function __labctl_verify\n" + wrong.String() + "end\n" + text
	rc, err := h.write("init.fish", text)
	start := Start{[]string{program, "--init-command", "source " + fishQuote(rc)}, h.env()}
	if interactive {
		start.Argv = append(start.Argv, "-i")
	}
	return start, err
}

// fishQuote quotes a word for fish, whose single quotes know two escapes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

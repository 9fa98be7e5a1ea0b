package shell

import (
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// report is what a shell does at its first prompt: it ends where it is not held, and where it was only
// asked.
func (h Hold) report() string {
	return fmt.Sprintf(`if ! { %[1]s
}; then echo %[2]s >%[3]s; exit %[4]d; fi
if [ -n "${%[5]s-}" ]; then echo %[6]s >%[3]s; exit 0; fi
`, h.verify(), elsewhereWord, shellescape.Quote(h.verdict()), NotHeld, probeEnv, heldWord)
}

// bash reads a file of ours instead of ~/.bashrc, which that file reads first. Without a terminal it reads
// none, the one of $BASH_ENV excepted, which is not passed on.
func (h Hold) bash(program string, interactive bool) (Start, error) {
	if !interactive {
		return Start{[]string{program}, h.env()}, nil
	}
	words := strings.Join(h.Commands, " ")
	text := `[ -r ~/.bashrc ] && . ~/.bashrc
` + aliasesOff(words) + `POSIXLY_CORRECT=1
\unset -f unset builtin command export cd exit eval echo test [ unalias hash type printf ` + words + ` 2>/dev/null
\unset POSIXLY_CORRECT
\builtin set +eu
\builtin trap - DEBUG ERR EXIT RETURN
` + h.restore("builtin cd") + `hash -r
__labctl_prompt() {
	local status=$?
	if [ -z "${__labctl_asked-}" ]; then
		__labctl_asked=1
		` + h.report() + `
	fi
	case $PS1 in
	` + shellescape.Quote("("+h.Lab+") ") + `*) ;;
	*) PS1=` + shellescape.Quote("("+h.Lab+") ") + `$PS1 ;;
	esac
	return $status
}
if [[ "$(declare -p PROMPT_COMMAND 2>/dev/null)" == "declare -a"* ]]; then
	PROMPT_COMMAND+=(__labctl_prompt)
else
	PROMPT_COMMAND="${PROMPT_COMMAND:+$PROMPT_COMMAND
}__labctl_prompt"
fi
`
	rc, err := h.write("bashrc", text)
	return Start{[]string{program, "--rcfile", rc, "-i"}, h.env()}, err
}

func aliasesOff(words string) string {
	return "\\unalias unset builtin command export cd exit eval echo test unalias hash local return case if set trap declare printf " + words + " 2>/dev/null\n"
}

// sh reads the file of $ENV where it is interactive, and none else. What the user has there is read first.
func (h Hold) sh(program string, interactive bool) (Start, error) {
	if !interactive {
		return Start{[]string{program}, h.env()}, nil
	}
	own := ""
	if env, set := h.value("ENV"); set && env != "" {
		own = fmt.Sprintf("[ -r %[1]s ] && . %[1]s\nunset ENV\n", shellescape.Quote(env))
	}
	words := strings.Join(h.Commands, " ")
	text := "unset ENV\n" + own + aliasesOff(words) + "\\unset -f command cd echo test [ unalias hash " + words + " 2>/dev/null\n" +
		"set +eu\ntrap - EXIT\n" + h.restore("command cd") + "hash -r\n" + h.report() +
		"PS1=" + shellescape.Quote("("+h.Lab+") ") + "${PS1:-'$ '}\n"
	rc, err := h.write("shrc", text)
	return Start{[]string{program, "-i"}, append(h.env(), "ENV="+rc)}, err
}

package shell

import (
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// zsh reads its files from $ZDOTDIR: ours, each of which reads the user's first. It does so without a terminal
// as well, and then only .zshenv.
func (h Hold) zsh(program string, interactive bool) (Start, error) {
	own, set := h.value("ZDOTDIR")
	words := strings.Join(h.Commands, " ")
	home := "$HOME"
	if set && own != "" {
		home = shellescape.Quote(own)
	}
	// A user's .zshenv may move the rest of his files.
	env := `ZDOTDIR=` + home + `
[[ -r $ZDOTDIR/.zshenv ]] && . $ZDOTDIR/.zshenv
__labctl_own=$ZDOTDIR
if [[ -o interactive ]]; then
	ZDOTDIR=` + shellescape.Quote(h.Files) + `
else
	. ` + shellescape.Quote(h.Files+"/lock") + `
fi
`
	gone := "unset ZDOTDIR\n"
	if set {
		gone = "export ZDOTDIR=" + home + "\n"
	}
	lock := `ZDOTDIR=$__labctl_own
[[ $ZDOTDIR == $HOME ]] && ` + gone + `\builtin unset __labctl_own
` + strings.ReplaceAll(aliasesOff(words), `\unalias`, `\builtin unalias`) + `
\builtin unset -f builtin command export cd exit echo unalias hash rehash printf ` + words + ` 2>/dev/null
\builtin setopt NO_ERR_EXIT UNSET
` + h.restore("builtin cd -q") + `rehash
`
	rc := `ZDOTDIR=$__labctl_own
[[ -r $ZDOTDIR/.zshrc ]] && . $ZDOTDIR/.zshrc
__labctl_own=${ZDOTDIR:-$HOME}
. ` + shellescape.Quote(h.Files+"/lock") + `
__labctl_prompt() {
	builtin emulate -L zsh
	if [[ -z $__labctl_asked ]]; then
		typeset -g __labctl_asked=1
		` + h.report() + `
	fi
	[[ $PROMPT == ` + shellescape.Quote("("+h.Lab+") ") + `* ]] || PROMPT=` + shellescape.Quote("("+h.Lab+") ") + `$PROMPT
}
precmd_functions+=(__labctl_prompt)
`
	for name, text := range map[string]string{".zshenv": env, ".zshrc": rc, "lock": lock} {
		if _, err := h.write(name, text); err != nil {
			return Start{}, err
		}
	}
	start := Start{[]string{program}, append(h.env("ZDOTDIR"), "ZDOTDIR="+h.Files)}
	if interactive {
		start.Argv = append(start.Argv, "-i")
	}
	return start, nil
}

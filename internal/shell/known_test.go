package shell

import (
	"slices"
	"testing"
)

func TestUnknownShells(t *testing.T) {
	for program, known := range map[string]bool{"/bin/bash": true, "/usr/bin/zsh": true, "/opt/fish": true, "/bin/sh": true, "/bin/tcsh": false, "nu": false, "": false} {
		if Known(program) != known {
			t.Errorf("%q: %v", program, !known)
		}
	}
	if _, err := (Hold{}).Start("/bin/tcsh", true); err == nil {
		t.Error("tcsh is held")
	}
}

func TestEnvironOfCommands(t *testing.T) {
	got := Environ([]string{"A=1", "BASH_ENV=/x", "ENV=/x", "BASH_FUNC_kubectl%%=() { :; }", "BASH_FUNC_other%%=() { :; }"})
	if !slices.Equal(got, []string{"A=1", "BASH_FUNC_other%%=() { :; }"}) {
		t.Errorf("%q", got)
	}
}

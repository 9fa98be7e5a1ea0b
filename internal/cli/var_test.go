package cli

import (
	"maps"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// parseVars is what the commands make of a command line.
func parseVars(args ...string) (map[string]string, error) {
	var f fileOptions
	cmd := &cobra.Command{}
	f.addFlags(cmd)
	err := cmd.ParseFlags(args)
	return f.Vars, err
}

func TestVarFlag(t *testing.T) {
	for arg, want := range map[string]string{
		"region=eu-west-1":       "eu-west-1",
		`region={a="b"}`:         `{a="b"}`,
		"region=app=web,tier=db": "app=web,tier=db",
		`region=["a", "b"]`:      `["a", "b"]`,
		"region=":                "",
		"region==":               "=",
		"region= a ":             " a ",
		"region=a\nb":            "a\nb",
		`region="`:               `"`,
	} {
		for _, args := range [][]string{{"--var", arg}, {"--var=" + arg}} {
			if got, err := parseVars(args...); err != nil || !maps.Equal(got, map[string]string{"region": want}) {
				t.Errorf("%q: %q, %v", args, got, err)
			}
		}
	}
	got, err := parseVars("--var", "a=1,b=2", "--var", "b=3", "--var", "b=4")
	if err != nil || !maps.Equal(got, map[string]string{"a": "1,b=2", "b": "4"}) {
		t.Errorf("%q, %v", got, err)
	}
	for arg, want := range map[string]string{
		"region": "there is no = in it; write --var NAME=value",
		"":       "there is no = in it",
		"=x":     `"" before the = is no variable's name`,
		"a b=x":  `"a b" before the = is no variable's name`,
		"-a=x":   `"-a" before`,
	} {
		if _, err := parseVars("--var", arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", arg, err)
		}
	}
}

// FuzzVarFlag: whatever is accepted is split at its first = and nowhere else.
func FuzzVarFlag(f *testing.F) {
	for _, text := range []string{"a=b", "a", "=", "a==b", "a=b,c=d", `a={b="c"}`, "a=\x00", "é=x", "a-b=\"", "a=b\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseVars("--var", text)
		name, value, found := strings.Cut(text, "=")
		switch {
		case err == nil && (len(got) != 1 || !found || got[name] != value):
			t.Errorf("%q became %q", text, got)
		case err != nil && len(got) != 0:
			t.Errorf("%q: both %q and %v", text, got, err)
		}
	})
}

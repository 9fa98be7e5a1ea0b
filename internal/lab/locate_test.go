package lab

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/state"
)

// withLabs returns a machine whose home knows these labs.
func withLabs(t *testing.T, names ...string) *Machine {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		st := &state.State{Lab: name, Owner: "me", FileName: "lab.hcl", File: filepath.Join("/labs", name+".hcl")}
		if err := (state.Home{Dir: dir}).Lab(name).Save(st); err != nil {
			t.Fatal(err)
		}
	}
	return &Machine{Environ: []string{"LABCTL_HOME=" + dir, "DOCKER_HOST=unix://" + dir + "/no-engine"}, Events: event.Discard}
}

func TestPickTheLab(t *testing.T) {
	for name, row := range map[string]struct {
		labs      []string
		flag, env string
		want      string
		says      string
	}{
		"none is up":           {nil, "", "", "", "no lab is up"},
		"the only one":         {[]string{"a"}, "", "", "a", ""},
		"several":              {[]string{"b", "a"}, "", "", "", "several labs are up: a, b"},
		"by flag":              {[]string{"a", "b"}, "b", "", "b", ""},
		"by the lab's shell":   {[]string{"a", "b"}, "", "a", "a", ""},
		"the flag goes first":  {[]string{"a", "b"}, "b", "a", "b", ""},
		"named, though absent": {nil, "x", "", "x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := withLabs(t, row.labs...)
			if row.env != "" {
				m.Environ = append(m.Environ, "LABCTL_LAB="+row.env)
			}
			got, err := m.pick(t.Context(), row.flag)
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.says) || clierr.ClassOf(err) != clierr.Usage || clierr.NextOf(err) == "" {
				t.Errorf("got %v, want %q with what to type", err, row.says)
			}
		})
	}
}

// A folder without a state is what a refused command or a killed down left: no lab.
func TestPickPassesFoldersWithoutState(t *testing.T) {
	m := withLabs(t, "a")
	if err := os.MkdirAll(filepath.Join(m.Getenv("LABCTL_HOME"), "labs", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := m.pick(t.Context(), ""); got != "a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// One whose state cannot be read may be up all the same.
func TestPickDoesNotPassDamagedStates(t *testing.T) {
	m := withLabs(t, "a", "b")
	if err := os.WriteFile(filepath.Join(m.Getenv("LABCTL_HOME"), "labs", "b", state.StateFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := m.pick(t.Context(), ""); err == nil {
		t.Errorf("took %q as if the other were not there", got)
	}
}

// What `down ARGUMENT` means, also when the file is gone.
func TestLabOfAnArgument(t *testing.T) {
	m := withLabs(t, "a", "b")
	home, err := m.Home()
	if err != nil {
		t.Fatal(err)
	}
	twice := &state.State{Lab: "c", Owner: "me", FileName: "b.hcl", File: "/labs/b.hcl"}
	parsed := ""
	parse := func(file string) (string, error) { parsed = file; return "parsed", nil }
	for arg, want := range map[string]string{
		"a":           "a",
		"/labs/a.hcl": "a",
		"/labs/b.hcl": "b",
		"lost":        "lost", // its marks will tell
		"absent.hcl":  "parsed",
		"./absent":    "parsed",
		"-":           "parsed",
	} {
		parsed = ""
		if got, err := m.Named(t.Context(), arg, parse); got != want || err != nil || want == "parsed" && parsed != arg {
			t.Errorf("%s: %q, %v; want %q; read %q", arg, got, err, want, parsed)
		}
	}
	nowhere := clierr.New(clierr.Usage, "there is no such file")
	if _, err := m.Named(t.Context(), "/labs/absent.hcl", func(string) (string, error) { return "", nowhere }); !errors.Is(err, nowhere) {
		t.Errorf("a file that is nowhere: %v", err)
	}
	if err := home.Lab("c").Save(twice); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Named(t.Context(), "/labs/b.hcl", parse); err == nil || !strings.Contains(err.Error(), "b, c") {
		t.Errorf("two labs of one file: %v", err)
	}
}

func TestOwner(t *testing.T) {
	m := withLabs(t)
	for _, bad := range []string{"a,b", "a=b", "a\"b", "a\nb"} {
		m.Owner = bad
		if _, err := m.owner(); clierr.ClassOf(err) != clierr.Usage {
			t.Errorf("owner %q: %v", bad, err)
		}
	}
	m.Owner = "arn:aws:iam::123456789012:user/me"
	if got, err := m.owner(); got != m.Owner || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	m.Owner = ""
	if got, err := m.owner(); got == "" || err != nil {
		t.Errorf("the system's user: %q, %v", got, err)
	}
}

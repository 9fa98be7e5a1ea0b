package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/state"
)

// withLabs returns a labctl whose home knows these labs.
func withLabs(t *testing.T, names ...string) *app {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		st := &state.State{Lab: name, Owner: "me", FileName: "lab.hcl", File: filepath.Join("/labs", name+".hcl")}
		if err := (state.Home{Dir: dir}).Lab(name).Save(st); err != nil {
			t.Fatal(err)
		}
	}
	return newApp(Process{Environ: []string{"LABCTL_HOME=" + dir, "DOCKER_HOST=unix://" + dir + "/no-engine"}})
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
			a := withLabs(t, row.labs...)
			a.lab = row.flag
			if row.env != "" {
				a.Environ = append(a.Environ, "LABCTL_LAB="+row.env)
			}
			got, err := a.pick(t.Context())
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
	a := withLabs(t, "a")
	if err := os.MkdirAll(filepath.Join(a.getenv("LABCTL_HOME"), "labs", "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := a.pick(t.Context()); got != "a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// One whose state cannot be read may be up all the same.
func TestPickDoesNotPassDamagedStates(t *testing.T) {
	a := withLabs(t, "a", "b")
	if err := os.WriteFile(filepath.Join(a.getenv("LABCTL_HOME"), "labs", "b", state.StateFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := a.pick(t.Context()); err == nil {
		t.Errorf("took %q as if the other were not there", got)
	}
}

// What `down ARGUMENT` means, also when the file is gone.
func TestLabOfAnArgument(t *testing.T) {
	a := withLabs(t, "a", "b")
	home, err := a.home()
	if err != nil {
		t.Fatal(err)
	}
	twice := &state.State{Lab: "c", Owner: "me", FileName: "b.hcl", File: "/labs/b.hcl"}
	known := []string{"a", "b"}
	for arg, want := range map[string]string{
		"a":           "a",
		"/labs/a.hcl": "a",
		"/labs/b.hcl": "b",
		"lost":        "lost", // its marks will tell
	} {
		if got, err := a.labOf(t.Context(), arg, home, known); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", arg, got, err, want)
		}
	}
	if _, err := a.labOf(t.Context(), "/labs/absent.hcl", home, known); clierr.ClassOf(err) != clierr.Usage {
		t.Errorf("a file that is nowhere: %v", err)
	}
	if err := home.Lab("c").Save(twice); err != nil {
		t.Fatal(err)
	}
	if _, err := a.labOf(t.Context(), "/labs/b.hcl", home, append(known, "c")); err == nil || !strings.Contains(err.Error(), "b, c") {
		t.Errorf("two labs of one file: %v", err)
	}
}

func TestOwner(t *testing.T) {
	a := withLabs(t)
	for _, bad := range []string{"a,b", "a=b", "a\"b", "a\nb"} {
		a.owner = bad
		if _, err := a.whose(); clierr.ClassOf(err) != clierr.Usage {
			t.Errorf("owner %q: %v", bad, err)
		}
	}
	a.owner = "arn:aws:iam::123456789012:user/me"
	if got, err := a.whose(); got != a.owner || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	a.owner = ""
	if got, err := a.whose(); got == "" || err != nil {
		t.Errorf("the system's user: %q, %v", got, err)
	}
}

package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

func TestSaveThenLoadGivesTheSame(t *testing.T) {
	lab := testLab(t)
	s := &State{
		Lab: "demo", Owner: "ann", Title: "A lab", File: "/x/demo.hcl", FileBytes: "lab \"demo\" {\n}\n", FileName: "demo.hcl",
		Manifests: map[string]string{"manifests/pod.yaml": "kind: Pod\n"}, Declared: json.RawMessage("{\n    \"title\": \"A lab\"\n  }"),
		Given: "region = \"ap-south-2\"\n", Local: true, Name: "ci", Unfinished: true, Extra: []string{"pod-ip"},
		Host:    json.RawMessage("{\n    \"region\": \"eu-central-1\"\n  }"),
		Engine:  EngineState{ID: "A", Endpoint: "unix:///run/docker.sock on here"},
		Cluster: ClusterState{Name: "c", Image: "kindest/node@sha256:1", ImageID: "sha256:2", Kubernetes: "1.35.4", APIPort: 6443, Created: true, Addresses: map[string]string{"c-control-plane": "172.18.0.2"}},
	}
	if err := lab.Save(s); err != nil {
		t.Fatal(err)
	}
	if s.Version != Version || !s.Created.Equal(noon) || !s.Updated.Equal(noon) {
		t.Errorf("Save set version %d, created %v, updated %v", s.Version, s.Created, s.Updated)
	}
	got, err := lab.Load()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, s) {
		t.Errorf("loaded\n%+v\nsaved\n%+v", got, s)
	}
	// Every field must have been set above, or it is not tested.
	for _, v := range []reflect.Value{reflect.ValueOf(*s), reflect.ValueOf(s.Cluster)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s is zero in this test", v.Type().Field(i).Name)
			}
		}
	}
}

func TestLoadWithoutState(t *testing.T) {
	lab := testLab(t)
	if _, err := lab.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v; want ErrNotExist", err)
	}
	if _, err := os.Stat(lab.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load made %s", lab.Dir())
	}
}

func TestLoadRefusesNewerVersion(t *testing.T) {
	lab := testLab(t)
	put(t, lab, StateFile, `{"version": 7, "lab": ["of another shape"]}`)
	_, err := lab.Load()
	if clierr.ClassOf(err) != clierr.Refused || !strings.Contains(err.Error(), "version 7") || !strings.Contains(err.Error(), "knows 1") {
		t.Errorf("Load: %v (%v); want a refusal that names versions 7 and 1", err, clierr.ClassOf(err))
	}
}

func TestLoadOfDamagedState(t *testing.T) {
	lab := testLab(t)
	if err := lab.Save(&State{Lab: "demo", FileBytes: "lab"}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(lab.Path(StateFile))
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{
		"another lab's": strings.Replace(string(whole), `"demo"`, `"other"`, 1),
		"two values":    string(whole) + "{}",
		"no version":    `{"lab": "demo"}`,
		"not JSON":      "\x00\x00\x00\x00",
		"a string":      `"demo"`,
		"null":          "null",
		"wrong type":    `{"version": 1, "lab": 3}`,
	}
	for i := range len(whole) - 1 { // without its last byte, the line's end, it is whole
		wantDamaged(t, lab, string(whole[:i]))
	}
	for _, text := range damaged {
		wantDamaged(t, lab, text)
	}
}

func wantDamaged(t *testing.T, lab *Lab, text string) {
	t.Helper()
	put(t, lab, StateFile, text)
	s, err := lab.Load()
	switch {
	case err == nil:
		t.Errorf("Load(%q) = %+v; want an error", text, s)
	case clierr.ClassOf(err) != clierr.Failed || errors.Is(err, fs.ErrNotExist):
		t.Errorf("Load(%q): %v, class %v", text, err, clierr.ClassOf(err))
	case !strings.Contains(clierr.NextOf(err), "labctl down demo"), !strings.Contains(err.Error(), lab.Path(StateFile)):
		t.Errorf("Load(%q): %v; next: %s: does not say where it is and what still works", text, err, clierr.NextOf(err))
	}
}

func TestEverythingIsPrivate(t *testing.T) {
	lab := testLab(t)
	// Looser ones from elsewhere are tightened.
	if err := os.MkdirAll(lab.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := lab.Save(&State{Lab: "demo"}); err != nil {
		t.Fatal(err)
	}
	if err := lab.WriteFile(KubeconfigFile, []byte("key")); err != nil {
		t.Fatal(err)
	}
	j, err := lab.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Begin(Act{Verb: "x"}); err != nil {
		t.Fatal(err)
	}
	lock, err := lab.Lock(t.Context(), Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	want := map[string]os.FileMode{".": 0o700, StateFile: 0o600, KubeconfigFile: 0o600, JournalFile: 0o600, LockFile: 0o600}
	for name, mode := range want {
		info, err := os.Stat(lab.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != mode {
			t.Errorf("%s has mode %v; want %v", name, got, mode)
		}
	}
	if entries, _ := os.ReadDir(lab.Dir()); len(entries) != len(want)-1 {
		t.Errorf("the directory holds %v", entries)
	}
}

func TestLabsListsOnlyLabs(t *testing.T) {
	home := Home{Dir: t.TempDir()}
	if labs, err := home.Labs(); err != nil || len(labs) != 0 {
		t.Errorf("Labs of nothing = %v, %v", labs, err)
	}
	for _, name := range []string{"zoo", "ant", ".ant.removed.1"} {
		if err := os.MkdirAll(filepath.Join(home.Dir, "labs", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home.Dir, "labs", "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	labs, err := home.Labs()
	if err != nil || !reflect.DeepEqual(labs, []string{"ant", "zoo"}) {
		t.Errorf("Labs = %v, %v; want ant and zoo", labs, err)
	}
}

func TestNamesStayInside(t *testing.T) {
	dir := t.TempDir()
	home := Home{Dir: filepath.Join(dir, "home")}
	if err := os.WriteFile(filepath.Join(dir, StateFile), []byte(`{"version":1,"lab":"../.."}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../..", "a/b", "/etc", ".hidden", "a\x00", strings.Repeat("a", 201)} {
		lab := home.Lab(name)
		_, loading := lab.Load()
		_, locking := lab.Lock(t.Context(), Holder{})
		_, opening := lab.OpenJournal()
		for what, err := range map[string]error{
			"Load": loading, "Lock": locking, "OpenJournal": opening,
			"Save": lab.Save(&State{Lab: name}), "WriteFile": lab.WriteFile("x", nil), "Remove": lab.Remove(),
		} {
			if clierr.ClassOf(err) != clierr.Usage {
				t.Errorf("%s of lab %q: %v; want it refused as a wrong name", what, name, err)
			}
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("something was made: %v", entries)
	}
}

func TestRemoveTakesEverything(t *testing.T) {
	lab := testLab(t)
	if err := lab.Remove(); err != nil {
		t.Errorf("Remove of nothing: %v", err)
	}
	lock, err := lab.Lock(t.Context(), Holder{})
	if err != nil {
		t.Fatal(err)
	}
	if err := lab.Save(&State{Lab: "demo"}); err != nil {
		t.Fatal(err)
	}
	// What a killed Remove leaves.
	leftover := filepath.Join(lab.home.labs(), ".demo.removed.1", "demo")
	neighbour := filepath.Join(lab.home.labs(), "demo-2")
	for _, dir := range []string{leftover, neighbour} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := lab.Remove(); err != nil {
			t.Fatal(err)
		}
		lock.Release()
		entries, err := os.ReadDir(lab.home.labs())
		if err != nil || len(entries) != 1 || entries[0].Name() != "demo-2" {
			t.Errorf("after Remove: %v, %v; want demo-2 alone", entries, err)
		}
	}
}

func TestTidyRemovesWhatAnyKilledRemoveLeft(t *testing.T) {
	home := Home{Dir: t.TempDir()}
	if err := home.Tidy(); err != nil {
		t.Errorf("Tidy of nothing: %v", err)
	}
	for _, name := range []string{".ant.removed.1", ".zoo.removed.2", "ant", ".mine"} {
		if err := os.MkdirAll(filepath.Join(home.labs(), name, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := home.Tidy(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(home.labs())
	if err != nil || len(entries) != 2 || entries[0].Name() != ".mine" || entries[1].Name() != "ant" {
		t.Errorf("after Tidy: %v, %v", entries, err)
	}
}

func TestDefaultDir(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"LABCTL_HOME": "/l", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/l"},
		{map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/labctl"},
		{map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/labctl"},
		{map[string]string{"HOME": "/h"}, "/h/.local/state/labctl"},
		{nil, ""},
	} {
		got, err := DefaultDir(func(name string) string { return c.env[name] })
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("DefaultDir(%v) = %q, %v; want %q", c.env, got, err, c.want)
		}
	}
	got, err := DefaultDir(func(string) string { return "rel" })
	if err != nil || !filepath.IsAbs(got) {
		t.Errorf("DefaultDir with a relative LABCTL_HOME = %q, %v; want an absolute path", got, err)
	}
}

func put(t *testing.T, lab *Lab, file, text string) {
	t.Helper()
	if err := lab.mkdir(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lab.Path(file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

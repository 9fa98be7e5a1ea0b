package scenarios_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/scenarios"
)

// catalogue parses the embedded scenarios once per test.
func catalogue(t *testing.T) map[string]*labfile.Definition {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCatalogueHasTheCoursesScenarios(t *testing.T) {
	all := catalogue(t)
	for name, kind := range map[string]labfile.Kind{"imagepull": labfile.Break, "crashloop": labfile.Break, "multi-container": labfile.Demo} {
		d, ok := all[name]
		if !ok {
			t.Errorf("the catalogue lacks %s", name)
			continue
		}
		if d.Kind != kind {
			t.Errorf("%s is a %s, want a %s", name, d.Kind, kind)
		}
	}
}

func TestCatalogueScenariosAreComplete(t *testing.T) {
	for name, d := range catalogue(t) {
		t.Run(name, func(t *testing.T) { complete(t, d, scenarios.Readme(name)) })
	}
	// A task, of which the catalogue has none yet: with images, and without.
	d, readme := firstWeb(t)
	t.Run(d.Name, func(t *testing.T) { complete(t, d, readme) })
	bare := *d
	bare.Seed = nil
	t.Run("without images", func(t *testing.T) { complete(t, &bare, readme) })
	if !slices.Equal(d.Images(), []string{"nginx:1.25"}) || bare.Images() != nil {
		t.Errorf("images: %q and %q", d.Images(), bare.Images())
	}
}

// firstWeb is the task of testdata, and its page.
func firstWeb(t *testing.T) (*labfile.Definition, string) {
	t.Helper()
	dir := os.DirFS("testdata/first-web")
	text, err := fs.ReadFile(dir, "scenario.hcl")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := fs.ReadFile(dir, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	d, diags := labfile.ParseDefinition(labfile.Source{Name: "first-web/scenario.hcl", Bytes: text, Dir: dir})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return d, string(readme)
}

// complete checks that a scenario has what a learner needs.
func complete(t *testing.T, d *labfile.Definition, readme string) {
	t.Helper()
	if d.Debrief == "" || len(d.Hints) == 0 {
		t.Error("it has no debrief or no hint")
	}
	if !strings.HasPrefix(readme, "# "+d.Name) {
		t.Error("its README does not begin with its name")
	}
	manifests, diags := labfile.Render(d, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if d.Kind != labfile.Task && len(manifests) == 0 {
		t.Error("it seeds nothing")
	}
	for _, image := range d.Images() {
		if !slices.Contains([]string{"nginx:1.25", "busybox:1.36"}, image) {
			t.Errorf("it needs %s, for which there is no substitute image", image)
		}
	}
}

package scenarios_test

import (
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
		t.Run(name, func(t *testing.T) {
			if d.Debrief == "" || len(d.Hints) == 0 {
				t.Error("it has no debrief or no hint")
			}
			if readme := scenarios.Readme(name); !strings.HasPrefix(readme, "# "+name) {
				t.Error("its README does not begin with its name")
			}
			manifests, diags := labfile.Render(d, nil)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if d.Kind != labfile.Task && len(manifests) == 0 {
				t.Error("it seeds nothing")
			}
			for _, image := range d.Seed.Images {
				if !slices.Contains([]string{"nginx:1.25", "busybox:1.36"}, image) {
					t.Errorf("it needs %s, for which there is no stand-in", image)
				}
			}
		})
	}
}

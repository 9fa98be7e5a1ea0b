package scenarios

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/labctl/labctl/images"
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/labs"
)

// TestCatalogue is the test of every scenario in the folder catalogue, as far as it can be told without a cluster.
func TestCatalogue(t *testing.T) {
	folders, err := os.ReadDir("catalogue")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no catalogue: %v", err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			d, err := Lookup(folder.Name())
			if err != nil {
				t.Fatal(err)
			}
			documented(t, d, "catalogue/"+d.Name)
			briefed(t, d, "catalogue/"+d.Name)
			for _, image := range d.Images() {
				if !slices.Contains(images.Names(), image) {
					t.Errorf("it needs %s, which images/list lacks", image)
				}
			}
			onlyOnContent(t, stageOf(t, &labfile.Scenario{Definition: d}).sc)
			replayAll(t, "catalogue/"+d.Name, d)
		})
	}
}

// documented checks that a scenario has what a learner reads.
func documented(t *testing.T, d *labfile.Definition, folder string) {
	t.Helper()
	if d.Debrief == "" || len(d.Hints) == 0 {
		t.Error("it has no debrief or no hint")
	}
	if d.Type != labfile.Task && len(stageOf(t, &labfile.Scenario{Definition: d}).sc.objs) == 0 {
		t.Error("it seeds nothing")
	}
	for _, name := range []string{"README.md", "scenario.hcl"} {
		text, err := os.ReadFile(folder + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "README.md" && !strings.HasPrefix(string(text), "# "+d.Name) {
			t.Error("its README does not begin with its name")
		}
		for _, found := range commandOnScenario.FindAllStringSubmatch(string(text), -1) {
			if found[2] != d.Name {
				t.Errorf("%s has labctl %s %s, which is of another scenario", name, found[1], found[2])
			}
		}
	}
}

var commandOnScenario = regexp.MustCompile(`labctl (task|check|hint|solve|reset|scenario) ([a-z0-9-]+)`)

func TestTaskInTestdataIsComplete(t *testing.T) {
	d := scenarioOf(t, "first-web").Definition
	documented(t, d, "testdata/first-web")
	bare := *d
	bare.Seed = nil
	documented(t, &bare, "testdata/first-web")
	if !slices.Equal(d.Images(), []string{"nginx:1.25"}) || bare.Images() != nil {
		t.Errorf("images: %q and %q", d.Images(), bare.Images())
	}
}

// TestInvalidScenarioBreaksNoOther: it is told of where it is asked for, with the place.
func TestInvalidScenarioBreaksNoOther(t *testing.T) {
	task := strings.ReplaceAll(`scenario "NAME" {
  type = "task"
  title = "x"
  summary = "x"

  situation = "What there is."
  goal      = "What shall be so."
  solved {
    condition "c" {
      says = "x"
      kind = "Pod"
      name = "x"
      holds = true
    }
  }
  solution {
    says = "x"
    run = ["true"]
  }
  wrong_fix "d" {
    says = "x"
    run = ["true"]
  }
}
`, "NAME", "whole")
	all := definitionsOf(fstest.MapFS{
		"catalogue/whole/scenario.hcl":      {Data: []byte(task)},
		"catalogue/torn/scenario.hcl":       {Data: []byte(task[:20])},
		"catalogue/copied/scenario.hcl":     {Data: []byte(task)},
		"catalogue/nothing/manifests/a.yml": {},
	})
	whole, err := all["whole"]()
	if err != nil || whole.Name != "whole" {
		t.Fatalf("%v, %v", whole, err)
	}
	if again, _ := all["whole"](); again != whole {
		t.Error("it is parsed again")
	}
	for name, place := range map[string]string{
		"torn": "catalogue/torn/scenario.hcl:1,", "copied": "catalogue/copied/scenario.hcl:1,", "nothing": "catalogue/nothing/scenario.hcl: ",
	} {
		if _, err := all[name](); err == nil || !strings.Contains(err.Error(), "scenario "+name+" is invalid: ") || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v, want its name and %s", name, err, place)
		}
	}
	if _, err := Lookup("none"); clierr.ClassOf(err) != clierr.Usage {
		t.Errorf("a scenario that is not there: %v", err)
	}
}

// TestLabsFindTheirScenarios: the labs that labctl carries are valid with its catalogue.
func TestLabsFindTheirScenarios(t *testing.T) {
	paths, err := fs.Glob(labs.FS(), "*.hcl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no labs: %v", err)
	}
	for _, path := range paths {
		text, err := fs.ReadFile(labs.FS(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, diags := labfile.Parse(labfile.Source{Name: path, Bytes: text}, labfile.Options{Catalogue: Definitions()}); diags.HasErrors() {
			t.Error(diags)
		}
	}
}

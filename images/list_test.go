package images_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labctl/labctl/images"
	"github.com/labctl/labctl/scenarios"
)

// TestListIsComplete: it has the mirror's registry and nothing that is not needed, and each image can be built where it cannot be
// pulled, and is documented. That it has what a scenario needs, the scenario's own test says.
func TestListIsComplete(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	mirror, err := os.ReadFile("../provision/mirror/registry.go")
	if err != nil {
		t.Fatal(err)
	}
	registry := regexp.MustCompile(`(?m)^const ownRegistry = "(.*)"$`).FindSubmatch(mirror)
	if registry == nil || !slices.Contains(images.Names(), string(registry[1])) {
		t.Fatalf("the list lacks the mirror's registry, %q", registry)
	}
	needed := []string{string(registry[1])}
	for name, load := range scenarios.Definitions() {
		d, err := load()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		needed = append(needed, d.Images()...)
	}
	for _, image := range images.Names() {
		if !slices.Contains(needed, image) {
			t.Errorf("no scenario needs %s", image)
		}
		folder, _, _ := strings.Cut(image, ":")
		for _, file := range []string{"packages", "files", "config.json"} {
			if _, err := os.Stat(folder + "/" + file); err != nil {
				t.Errorf("%s has no substitute image: %v", image, err)
			}
		}
		if !strings.Contains(string(readme), "| `"+image+"` |") {
			t.Errorf("README.md does not say what a lab relies on in %s", image)
		}
	}
}

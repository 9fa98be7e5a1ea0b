package scenarios

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The examples that docs/format-coverage.md names are there, and use the blocks that it says.
func TestCoverage(t *testing.T) {
	page, err := os.ReadFile("../docs/format-coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := ""
	for _, pattern := range []string{"*_test.go", "../internal/labfile/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests += string(text)
		}
	}
	rows := 0
	word := regexp.MustCompile("`([a-z_0-9.]+)[^`]*`")
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 3 || strings.Contains(line, "---") || strings.Contains(line, "example |") {
			continue
		}
		rows++
		name := strings.TrimSpace(cells[2])
		if strings.HasPrefix(name, "Test") {
			if !strings.Contains(tests, "func "+name+"(t ") {
				t.Errorf("%s: there is no test %s", cells[0], name)
			}
			continue
		}
		text, err := os.ReadFile("catalogue/" + name + "/scenario.hcl")
		if err != nil {
			t.Errorf("%s: %v", cells[0], err)
		}
		for _, found := range word.FindAllStringSubmatch(cells[1], -1) {
			if !strings.Contains(string(text), found[1]) {
				t.Errorf("%s: %s has no %s", cells[0], name, found[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d rows were read", rows)
	}
}

//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// fileInDocs is a file as a page shows it: its name on a line of its own, and then its text.
var fileInDocs = regexp.MustCompile("(?m)^`([a-z/.]+)`\\n\\n```[a-z]+\\n((?s:.*?))^```$")

// copyFiles PAGE DIR: writes every file that a page of the documentation shows into a folder, word for word,
// as a reader would.
func copyFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: copy-files PAGE DIR")
	}
	found := fileInDocs.FindAllStringSubmatch(ts.ReadFile(args[0]), -1)
	if len(found) == 0 {
		ts.Fatalf("%s shows no files", args[0])
	}
	for _, m := range found {
		path := filepath.Join(ts.MkAbs(args[1]), m[1])
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, []byte(m[2]), 0o644))
	}
}

// promised PAGE COMMAND...: the page tells its reader to type that command.
func promised(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: promised PAGE COMMAND...")
	}
	line := regexp.MustCompile(`(?m)^    \$ ` + regexp.QuoteMeta(strings.Join(args[1:], " ")) + `(\s+#.*)?$`)
	if !line.MatchString(ts.ReadFile(args[0])) {
		ts.Fatalf("%s does not say: %s", args[0], strings.Join(args[1:], " "))
	}
}

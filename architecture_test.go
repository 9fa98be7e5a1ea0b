package architecture_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/labctl/labctl"

// layers are the folders of labctl from the top down. A package imports from lower layers alone; within one layer
// only from its own folder, but for the lowest, whose packages may use each other.
var layers = [][]string{
	{"cmd"},
	{"internal/cli"},
	{"internal/alias"},
	{"internal/lab"},
	{"provision/*", "scenarios", "internal/view"},
	{"provision"},
	{"internal/labfile"},
	{"internal", "labs"},
}

// owners name, for a module outside, the only folders that may import it.
var owners = map[string][]string{
	"golang.org/x/crypto/ssh":    {"internal/ssh"},
	"k8s.io/client-go":           {"internal/kube"},
	"k8s.io/apimachinery":        {"internal/kube", "internal/labfile", "scenarios", "provision/kind"},
	"sigs.k8s.io/kind":           {"provision/kind"},
	"github.com/aws/aws-sdk-go":  {"provision/ec2"},
	"github.com/spf13/cobra":     {"internal/cli", "cmd"},
	"github.com/docker/docker":   {"internal/docker"},
	"github.com/clipperhouse":    {"internal/text"},
	"k8s.io/kubernetes":          nil,
	"k8s.io/client-go/informers": nil, // each costs megabytes of binary; lists and watches do
}

// notFor names, for a folder, what it may not import though it is below: a lab returns results and lays none out.
var notFor = map[string][]string{
	"internal/lab": {module + "/internal/view", "github.com/spf13/cobra", "log"},
}

// printers are what writes to the process's own outputs: commands and views write to what they are handed.
var printers = map[string][]string{
	"fmt": {"Print", "Printf", "Println"},
	"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
}

// versions compares versions of anything and brings nothing else along: whoever has some to compare imports it.
const versions = "k8s.io/apimachinery/pkg/util/version"

// processState is what belongs to the process, and so to main alone: everything else is handed its streams,
// environment and arguments, so that a test can hand it others.
var processState = []string{"Getenv", "LookupEnv", "Environ", "Setenv", "Unsetenv", "ExpandEnv", "Stdin", "Stdout", "Stderr", "Args", "Exit"}

// noNouns are package names that say nothing about what is inside.
var noNouns = []string{"util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "base", "lib"}

// source is one parsed Go file of the module that is not a test.
type source struct {
	path   string // slash-separated, from the module's root
	folder string
	file   *ast.File
	fset   *token.FileSet
}

// imports returns the paths that the file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// testBuild is the constraint on files that are only in the labctl that kills itself at a record of its journal.
const testBuild = "//go:build killpoints"

// inTestBuild reports whether the file is in no labctl that anybody is given.
func (s source) inTestBuild() bool {
	return slices.ContainsFunc(s.file.Comments, func(group *ast.CommentGroup) bool {
		return slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return c.Text == testBuild })
	})
}

// sources parses every file, whatever its build tags, but for tests, test data and modules of their own.
func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, noModule := os.Stat(filepath.Join(p, "go.mod"))
			if p != "." && (noModule == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, p, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(p)
		found = append(found, source{path: slashed, folder: path.Dir(slashed), file: file, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no Go files found: this test has to run in the module's root")
	}
	return found
}

// within reports whether a folder (or import path) is the parent or lies below it.
func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// place returns the layer of a folder, counted from the top, and the part of the layer that it belongs to
// ("provision/kind" for provision/kind/child). The longest match wins. A folder outside the layers has none.
func place(folder string) (layer int, part string, ok bool) {
	for i, entries := range layers {
		for _, entry := range entries {
			prefix, below := strings.CutSuffix(entry, "/*")
			if !within(folder, prefix) || below && folder == prefix || !below && len(prefix) <= len(part) {
				continue
			}
			layer, part, ok = i, prefix, true
			if below {
				first, _, _ := strings.Cut(strings.TrimPrefix(folder, prefix+"/"), "/")
				part = prefix + "/" + first
			}
		}
	}
	return layer, part, ok
}

func TestPlaces(t *testing.T) {
	for folder, want := range map[string]string{
		"cmd/labctl": "cmd 0", "internal/cli": "internal/cli 1", "internal/alias": "internal/alias 2", "internal/lab": "internal/lab 3", "internal/view/tty": "internal/view 4",
		"provision/kind": "provision/kind 4", "provision/kind/child": "provision/kind 4", "provision": "provision 5",
		"scenarios/catalogue": "scenarios 4", "internal/labfile": "internal/labfile 6", "internal/ssh": "internal 7",
	} {
		layer, part, ok := place(folder)
		if got := part + " " + strconv.Itoa(layer); !ok || got != want {
			t.Errorf("%s is placed at %q (%v), want %q", folder, got, ok, want)
		}
	}
	if _, _, ok := place("e2e/tally"); ok {
		t.Error("e2e/tally is placed in a layer; the tests may use everything")
	}
}

func TestImportsPointDownward(t *testing.T) {
	for _, s := range sources(t) {
		from, part, ok := place(s.folder)
		if !ok {
			continue
		}
		for _, imported := range s.imports() {
			folder, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			to, otherPart, ok := place(folder)
			lowest := len(layers) - 1
			switch {
			case !ok:
				t.Errorf("%s imports %s, which is for tests and tools", s.path, imported)
			case to < from, to == from && part != otherPart && to != lowest:
				t.Errorf("%s imports %s, which is not below it: %s is used by %s, or stands beside it", s.path, imported, s.folder, folder)
			}
		}
	}
}

func TestLibrariesHaveOneOwner(t *testing.T) {
	for _, s := range sources(t) {
		if within(s.folder, "e2e") {
			continue
		}
		for _, imported := range s.imports() {
			for library, folders := range owners {
				if imported == versions || !within(imported, library) && !strings.HasPrefix(imported, library+"-v2") {
					continue
				}
				if !slices.ContainsFunc(folders, func(folder string) bool { return within(s.folder, folder) }) {
					t.Errorf("%s imports %s, which is for %q alone", s.path, imported, folders)
				}
			}
		}
	}
}

func TestALabLaysNothingOut(t *testing.T) {
	for _, s := range sources(t) {
		for folder, forbidden := range notFor {
			if !within(s.folder, folder) {
				continue
			}
			for _, imported := range s.imports() {
				if slices.ContainsFunc(forbidden, func(p string) bool { return within(imported, p) }) {
					t.Errorf("%s imports %s, which is not for %s", s.path, imported, folder)
				}
			}
		}
	}
}

// What is printed goes through what a command was handed, so that it is made harmless, and a test can read it.
func TestNothingPrintsByItself(t *testing.T) {
	for _, s := range sources(t) {
		if _, _, ok := place(s.folder); !ok {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && slices.Contains(printers[pkg.Name], n.Sel.Name) {
					t.Errorf("%s uses %s.%s, which prints on its own account", s.fset.Position(n.Pos()), pkg.Name, n.Sel.Name)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
					t.Errorf("%s calls the builtin %s, which prints on its own account", s.fset.Position(n.Pos()), f.Name)
				}
			}
			return true
		})
	}
}

func TestOnlyMainTouchesTheProcess(t *testing.T) {
	for _, s := range sources(t) {
		if within(s.folder, "cmd") || within(s.folder, "e2e") || s.inTestBuild() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "os" && slices.Contains(processState, sel.Sel.Name) {
				t.Errorf("%s uses os.%s, which is for cmd: have it passed in", s.fset.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init() runs unasked: call it by name", s.fset.Position(f.Pos()))
			}
		}
	}
}

func TestPackagesAreNouns(t *testing.T) {
	for _, s := range sources(t) {
		if slices.Contains(noNouns, s.file.Name.Name) {
			t.Errorf("%s: a package named %s can hold anything: name it for what it holds", s.path, s.file.Name.Name)
		}
	}
}

// Kubernetes itself is for nodeimage, which is a module of its own: it would bring hundreds of modules.
func TestModuleStaysLean(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if slices.Contains(strings.Fields(line), "k8s.io/kubernetes") {
			t.Errorf("go.mod requires %s", strings.TrimSpace(line))
		}
	}
}

package draft

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// readPlain reads manifests and scripts by their names: setup*.sh, verify*.sh or check*.sh, solution*.sh, cleanup*.sh, and the
// text in README.md or task.md.
func readPlain(e *exercise) error {
	if len(e.files) == 0 {
		return refuse(".", 0, "there is no file in the folder")
	}
	for _, page := range []string{"task.md", "README.md", "readme.md"} {
		if _, there := e.files[page]; there && e.situation == "" {
			text, err := e.text(page, page, 0)
			if err != nil {
				return err
			}
			e.page(text)
			e.carry(page, 0, "title and situation")
		}
	}
	names := slices.Sorted(maps.Keys(e.files))
	seen := map[string]bool{}
	for _, name := range names { // what a setup script applies is not applied twice
		if roleOf(name) == "setup" {
			if err := e.setup(name, seen); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		if seen[name] {
			continue
		}
		if err := e.plainFile(name, len(seen) > 0); err != nil {
			return err
		}
	}
	return nil
}

// roleOf is what a file is for, by its name.
func roleOf(name string) string {
	base := strings.ToLower(path.Base(name))
	switch ext := path.Ext(base); {
	case ext == ".yaml" || ext == ".yml":
		return "manifest"
	case ext != ".sh":
		return ""
	}
	for _, role := range []string{"setup", "verify", "check", "solution", "cleanup"} {
		if strings.HasPrefix(base, role) {
			return role
		}
	}
	return ""
}

func (e *exercise) plainFile(name string, applied bool) error {
	switch role := roleOf(name); role {
	case "manifest":
		if !applied {
			return e.manifest(name, "", name, 0)
		}
		e.keep("files/"+name, e.files[name])
		e.todo(name, 0, "no setup script applies it: if it is to be seeded, move it from files to manifests and name it in seed")
	case "verify", "check":
		return e.verifier(identifier(strings.TrimSuffix(path.Base(name), ".sh"), "_"), name, "the exercise's own check passes")
	case "solution":
		return e.solutionFrom(name)
	case "cleanup":
		return e.cleanup(name)
	case "setup":
	default:
		if !strings.HasSuffix(strings.ToLower(name), ".md") {
			e.keep("files/"+name, e.files[name])
			e.todo(name, 0, "taken along and used by nothing: put it into a ConfigMap of the seed if it is needed, else remove it")
		}
	}
	return nil
}

// solutionFrom takes a script along as the solution. It is run where somebody says so, by the one who proves the scenario.
func (e *exercise) solutionFrom(name string) error {
	text, err := e.text(name, name, 0)
	if err != nil {
		return err
	}
	if len(text) > 16<<10 {
		e.keep("files/"+name, []byte(text))
		e.todo(name, 0, "too long for one solution: write its commands into the solution block")
		return nil
	}
	if e.solutionScript != "" {
		e.keep("files/"+name, []byte(text))
		e.todo(name, 0, "a second solution: write it as a right_fix block")
		return nil
	}
	for i, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "-f ") && !strings.Contains(line, "-f -") {
			e.todo(name, i+1, "it names a file, and a solution is run in no particular folder: write the file's text into the command")
			e.keep("files/"+name, []byte(text))
		}
	}
	e.solutionScript = strings.TrimSpace(text)
	e.carry(name, 0, "the solution")
	return nil
}

package draft

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// setupNamed is setup of a script that another file names.
func (e *exercise) setupNamed(name, from string, line int, applied map[string]bool) error {
	if _, err := e.text(name, from, line); err != nil {
		return err
	}
	return e.setup(path.Clean(name), applied)
}

// setup makes manifests of what a script makes, where that is certain. The rest is for the author. applied gets the files
// that it applies.
func (e *exercise) setup(name string, applied map[string]bool) error {
	text, err := e.text(name, name, 0)
	if err != nil {
		return err
	}
	kept := false
	for _, s := range statements(text) {
		done, err := e.setupStep(name, s, applied)
		if err != nil {
			return err
		}
		if !done {
			kept = true
			e.todo(name, s.line, "%s; the command is: %s", blockFor(s.text), oneLine(s.text, ""))
		}
	}
	if kept {
		e.keep("files/"+name, []byte(text))
	}
	return nil
}

// blockFor says which block carries what a command does.
func blockFor(command string) string {
	for _, row := range []struct{ pattern, says string }{
		{`\b(taint|cordon|label|annotate)\b.*\bnodes?\b|\bkubectl (cordon|taint)\b`, "what is not the scenario's own is changed by a step with a patch block (taints, set)"},
		{`\b(set|scale|edit|patch|rollout|label|annotate|replace|expose)\b`, "write what it comes to into the manifest, or seed in steps: a later step's replace"},
		{`\b(docker|crictl|systemctl|ssh|sudo|mv|cp|sed)\b`, "nothing is run on a machine: seed an object that shows the same"},
		{`\b(helm|kustomize)\b|apply -k|https?://`, "write the objects that it makes into a manifest of the seed"},
		{`^(if|for|while|until|case)\b`, "a part with conditions or loops is not read: write the objects that it makes into a manifest, and what it waits for into a step's until block"},
		{`\bkubectl\b.*\b(create|apply|run)\b`, "write the object that it makes into a manifest of the seed"},
		{`\bkubectl\b.*\bdelete\b`, "leave out of the seed what it deletes"},
	} {
		if regexp.MustCompile(row.pattern).MatchString(command) {
			return row.says
		}
	}
	return "not carried: if the exercise needs it, write what it makes into a manifest of the seed"
}

// setupStep reports whether a command is carried, or needs not be.
func (e *exercise) setupStep(file string, s statement, applied map[string]bool) (bool, error) {
	if len(s.words) == 0 {
		return false, nil
	}
	switch s.words[0] {
	case "set", "echo", "printf", "sleep", "exit", "true", ":":
		return true, nil // says something, or waits: labctl waits for what it seeds
	case "kubectl", "k":
	default:
		return false, nil
	}
	c, ok := parseKubectl(s.words[1:])
	if !ok {
		return false, nil
	}
	switch c.verb {
	case "get", "describe", "wait", "logs", "version", "cluster-info":
		return true, nil
	case "rollout":
		return len(c.args) > 0 && c.args[0] == "status", nil
	case "delete":
		return c.has("ignore-not-found") && len(e.seeded) == 0, nil // what an earlier run has left
	case "apply", "create":
		if files := c.flags["f"]; len(files) > 0 {
			return e.applied(file, s, c, files, applied)
		}
	}
	object := c.object()
	if object == nil {
		return false, nil
	}
	return true, e.generated(object, file, s.line)
}

// applied seeds the files of a `kubectl apply -f`.
func (e *exercise) applied(file string, s statement, c kubectl, files []string, applied map[string]bool) (bool, error) {
	if !c.only("f", "namespace") || len(c.args) > 0 || strings.Contains(strings.Join(files, " "), "://") {
		return false, nil
	}
	for _, f := range files {
		if f == "-" {
			if !s.fromHere {
				return false, nil
			}
			as := "manifests/" + strings.TrimSuffix(strings.ReplaceAll(path.Clean(file), "/", "-"), ".sh") + "-" + strconv.Itoa(s.line) + ".yaml"
			if err := e.seed(as, s.stdin, c.namespace(), file, s.line); err != nil {
				return false, err
			}
			continue
		}
		names := e.below(f, file)
		if len(names) == 0 {
			_, err := e.text(f, file, s.line)
			return false, err
		}
		for _, name := range names {
			applied[name] = true
			if err := e.manifest(name, c.namespace(), file, s.line); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// below is a file that a script names, or the manifests of a folder: from the exercise's folder, or from the script's.
func (e *exercise) below(name, script string) (all []string) {
	for _, clean := range []string{path.Clean(name), path.Join(path.Dir(script), name)} {
		if _, there := e.files[clean]; there {
			return []string{clean}
		}
		for _, f := range slices.Sorted(maps.Keys(e.files)) {
			if (path.Dir(f) == clean) && roleOf(f) == "manifest" {
				all = append(all, f)
			}
		}
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

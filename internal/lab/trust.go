package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/untrusted"
	"github.com/labctl/labctl/scenarios"
)

// Foreign lists what a lab brings that is not labctl's own and that is root somewhere: docs/trust.md says what
// that means. It is empty for the labs that labctl carries.
func Foreign(declared *labfile.Lab) []string {
	all := []string{}
	say := func(format string, args ...any) {
		all = append(all, strings.ReplaceAll(untrusted.Exact(fmt.Sprintf(format, args...)), "\n", `\n`))
	}
	if image := declared.Cluster.Image; image != "" {
		say("cluster.%s.%s: its nodes are privileged containers of the image %s, which the lab file names", declared.Cluster.Type, declared.Cluster.Name, image)
	}
	if declared.Host != nil && strings.HasPrefix(declared.Host.Image, "ami-") {
		say("host.%s.%s: it boots the machine image %s, which the lab file names", declared.Host.Type, declared.Host.Name, declared.Host.Image)
	}
	var asking []string
	for _, sc := range declared.Scenarios {
		if def, err := scenarios.Lookup(sc.Name); err == nil && def.Range.Filename == sc.Definition.Range.Filename {
			continue
		}
		manifests, diags := labfile.Render(sc.Definition, sc.Input)
		if diags.HasErrors() {
			continue // said where the lab file is read
		}
		if sc.Seed != nil {
			for _, step := range sc.Seed.Steps {
				replacing, _ := labfile.RenderReplacing(sc.Definition, step, sc.Input)
				manifests = append(manifests, replacing...)
				for _, p := range step.Patches {
					say("scenario.%s: step %s changes %s until it is reset", sc.Name, step.Name, patched(p))
				}
				for _, a := range step.Nodes {
					say("scenario.%s: step %s does this to a node, a privileged container, until it is reset: %s", sc.Name, step.Name, a)
				}
			}
		}
		for _, m := range manifests {
			for _, what := range powers(m.Bytes) {
				say("scenario.%s: %s of %s", sc.Name, what, m.Path)
			}
		}
		for _, p := range sc.Probes {
			if p.Node != "" {
				say("scenario.%s: probe %s runs on the node %s, a privileged container: %s", sc.Name, p.Name, p.Node, p.Run)
			}
		}
		if sc.Solution != nil {
			asking = append(asking, sc.Name)
		}
	}
	if len(asking) > 0 {
		say("scenarios that the lab file defines: %s. `labctl solve` asks before it runs their commands on this machine", strings.Join(asking, ", "))
	}
	return all
}

// patched names what a patch changes.
func patched(p *labfile.Patch) string {
	if p.Name != "" {
		return kube.Ref(p.Kind, p.Name) + " in " + p.Namespace
	}
	return "each " + strings.ToLower(p.Kind) + " with " + p.Selector
}

// IsCatalogues reports whether the commands of a scenario, solution and all, are what the catalogue has, word for
// word: a lab file can take a scenario's name, and its inputs can become part of its commands.
func IsCatalogues(sc *labfile.Scenario) bool {
	def, err := scenarios.Lookup(sc.Name)
	return err == nil && slices.EqualFunc(commandsOf(def), commandsOf(sc.Definition), slices.Equal)
}

// commandsOf returns the commands of a scenario's solution, wrong and right fixes and disturbances.
func commandsOf(def *labfile.Definition) [][]string {
	var all [][]string
	if def.Solution != nil {
		all = append(all, def.Solution.Run) // answers run nothing
	}
	for _, fix := range slices.Concat(def.WrongFixes, def.RightFixes, def.Disturbances) {
		all = append(all, fix.Run)
	}
	return all
}

// powers names the pods in manifests that are root on their node, and by what.
func powers(manifests []byte) []string {
	var all []string
	for docs := yaml.NewDecoder(bytes.NewReader(manifests)); ; {
		var doc map[string]any
		if err := docs.Decode(&doc); err != nil {
			if !errors.Is(err, io.EOF) {
				all = append(all, "something that cannot be read")
			}
			return all
		}
		var by []string
		walk(doc, &by)
		if len(by) == 0 {
			continue
		}
		slices.Sort(by)
		meta, _ := doc["metadata"].(map[string]any)
		all = append(all, fmt.Sprintf("%v %v (%s)", doc["kind"], meta["name"], strings.Join(slices.Compact(by), ", ")))
	}
}

// walk looks for pods at any depth: in templates, in lists, in custom resources.
func walk(value any, by *[]string) {
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			walk(v, by)
		}
	case map[string]any:
		for key, v := range value {
			_, isMap := v.(map[string]any)
			switch {
			case v == true && slices.Contains([]string{"privileged", "hostNetwork", "hostPID", "hostIPC"}, key), isMap && key == "hostPath":
				*by = append(*by, key)
			}
			walk(v, by)
		}
	}
}

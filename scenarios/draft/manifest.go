package draft

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// clusterWide are kinds that are in no namespace, so that `-n` means nothing for them.
var clusterWide = []string{"Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass", "CustomResourceDefinition", "PriorityClass", "IngressClass", "RuntimeClass"}

// manifest takes a manifest of the exercise as one of the seed. namespace is that of what names none; empty: default.
func (e *exercise) manifest(name, namespace, from string, line int) error {
	text, err := e.text(name, from, line)
	if err != nil {
		return err
	}
	return e.seed(manifestPath(name), text, namespace, path.Clean(name), 0)
}

// seed adds a manifest. Its documents are looked at for what they make, and get the namespace that they were applied to.
func (e *exercise) seed(as, text, namespace, file string, line int) error {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var docs []*yaml.Node
	left, changed := maxNodes, false
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return notYAML(file, err)
		}
		if err := plainNodes(file, &root, &left); err != nil {
			return err
		}
		if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
			continue
		}
		if value(root.Content[0], "kind") == "Kustomization" || value(root.Content[0], "apiVersion") == "" {
			e.keep("files/"+file, []byte(text))
			e.todo(file, max(line, 1), "it is no manifest of an object: write the objects that it makes into a manifest of the seed")
			return nil
		}
		changed = inNamespace(root.Content[0], namespace) || changed
		e.seeded[objectID(root.Content[0])] = true
		docs = append(docs, &root)
	}
	if len(docs) == 0 {
		return refuse(file, max(line, 1), "the manifest holds no object")
	}
	content := []byte(text)
	if changed {
		var b bytes.Buffer
		encoder := yaml.NewEncoder(&b)
		encoder.SetIndent(2)
		for _, doc := range docs {
			if err := encoder.Encode(doc); err != nil {
				return refuse(file, line, "%v", err)
			}
		}
		content = b.Bytes()
	}
	if slices.ContainsFunc(e.out, func(f File) bool { return f.Path == as }) {
		return nil // applied twice
	}
	e.keep(as, content)
	e.carry(file, line, "seeded, by %s", as)
	return nil
}

// generated adds the manifest of an object that a command of a script makes.
func (e *exercise) generated(object map[string]any, file string, line int) error {
	text, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	as := fmt.Sprintf("manifests/%s-%d.yaml", strings.TrimSuffix(strings.ReplaceAll(path.Clean(file), "/", "-"), ".sh"), line)
	return e.seed(as, string(text), "", file, line)
}

func field(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func value(n *yaml.Node, name string) string {
	if f := field(n, name); f != nil {
		return f.Value
	}
	return ""
}

// inNamespace sets the namespace of an object that has none, and reports whether it did.
func inNamespace(object *yaml.Node, namespace string) bool {
	meta := field(object, "metadata")
	if namespace == "" || namespace == "default" || meta == nil || meta.Kind != yaml.MappingNode || value(meta, "namespace") != "" ||
		slices.Contains(clusterWide, value(object, "kind")) {
		return false
	}
	meta.Content = append(meta.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "namespace"}, &yaml.Node{Kind: yaml.ScalarNode, Value: namespace})
	return true
}

func objectID(object *yaml.Node) string {
	meta := field(object, "metadata")
	return id(value(object, "kind"), value(meta, "namespace"), value(meta, "name"))
}

func id(kind, namespace, name string) string {
	if namespace == "" && !slices.Contains(clusterWide, kind) {
		namespace = "default"
	}
	if slices.Contains(clusterWide, kind) {
		namespace = ""
	}
	return kind + "/" + namespace + "/" + name
}

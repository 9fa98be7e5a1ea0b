package labfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"go.yaml.in/yaml/v3"
)

// yamlLine finds the line in the messages of the YAML parser.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// checkObjects checks that rendered YAML holds Kubernetes objects, and returns their identities.
// Lines are those of the rendered text, which are the template's unless an input has several lines.
func (c *collector) checkObjects(src Source, rendered []byte) []string {
	var ids []string
	decoder := yaml.NewDecoder(bytes.NewReader(rendered))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 1
			message := err.Error()
			if found := yamlLine.FindStringSubmatch(message); found != nil {
				line, _ = strconv.Atoi(found[1])
				message = yamlLine.ReplaceAllString(message, "")
			}
			c.report(lineRange(src, line), "Invalid YAML", "This manifest is not YAML: %s.", strings.TrimPrefix(message, "yaml: "))
			return ids
		}
		if id, wrong, line := objectID(&document); wrong != "" {
			c.report(lineRange(src, line), "Not a Kubernetes object", "%s", wrong)
		} else if id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 && bytes.IndexFunc(rendered, func(r rune) bool { return r > ' ' }) < 0 {
		c.report(rangeAt(src, 0), "Empty manifest", "This manifest holds no object.")
	}
	return ids
}

// objectID returns what identifies the object of a YAML document, or what is wrong with it and in
// which line. A document without content is neither.
func objectID(document *yaml.Node) (id, wrong string, line int) {
	if document.Kind != yaml.DocumentNode || len(document.Content) == 0 {
		return "", "", 1
	}
	object := document.Content[0]
	if object.Kind == yaml.ScalarNode && object.Tag == "!!null" {
		return "", "", 1
	}
	metadata := yamlField(object, "metadata")
	var parts []string
	for _, field := range []struct {
		name string
		node *yaml.Node
	}{
		{"apiVersion", yamlField(object, "apiVersion")},
		{"kind", yamlField(object, "kind")},
		{"metadata.name", yamlField(metadata, "name")},
	} {
		if field.node == nil || field.node.Kind != yaml.ScalarNode || field.node.Value == "" {
			return "", fmt.Sprintf("This document has no %s.", field.name), object.Line
		}
		if field.node.Tag != "!!str" {
			return "", fmt.Sprintf("The field %s must be a text; put it in quotes.", field.name), field.node.Line
		}
		parts = append(parts, field.node.Value)
	}
	id = parts[1] + "/" + parts[2]
	if group, _, grouped := strings.Cut(parts[0], "/"); grouped { // one object may be asked for in several versions
		id = parts[1] + "." + group + "/" + parts[2]
	}
	if namespace := yamlField(metadata, "namespace"); namespace != nil && namespace.Value != "default" {
		id += " in namespace " + namespace.Value
	}
	return id, "", 0
}

// yamlField returns a field of a mapping, or nil.
func yamlField(node *yaml.Node, name string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

// lineRange returns the range of a whole line, counted from 1.
func lineRange(src Source, line int) hcl.Range {
	start := 0
	for range line - 1 {
		next := bytes.IndexByte(src.Bytes[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	rng := rangeAt(src, start)
	if end := bytes.IndexByte(src.Bytes[start:], '\n'); end > 0 {
		rng.End.Byte, rng.End.Column = start+end, 1+end
	}
	return rng
}

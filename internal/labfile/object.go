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
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// yamlLine finds the line in the messages of the YAML parser.
var yamlLine = regexp.MustCompile(`line (\d+): `)

// object is a Kubernetes object of a manifest.
type object struct {
	id    string // what no other object may share: kind, name and namespace
	value map[string]any
}

// decodeObjects decodes rendered YAML as kubectl does, after it has looked whether that is safe: a
// few lines of aliases can stand for more than the memory holds. It reports what is wrong; lines
// are those of the rendered text, which are the template's unless an input has several lines.
func (c *collector) decodeObjects(src Source, rendered []byte) []object {
	before := len(c.diags)
	if len(rendered) > MaxBytes {
		c.report(rangeAt(src, 0), "Manifest too large", "With its inputs filled in this manifest is larger than %d MiB.", MaxBytes>>20)
		return nil
	}
	documents, wrong := splitDocuments(rendered)
	if wrong > 0 {
		c.report(lineRange(src, wrong), "Invalid YAML", "What separates documents is --- on a line of its own.")
		return nil
	}
	var all []object
	for _, d := range documents {
		o, problem := c.decodeObject(d)
		switch {
		case problem != nil:
			c.report(lineRange(src, d.line+problem.line-1), problem.summary, "%s", problem.detail)
			if problem.fatal {
				return nil
			}
		case o.value != nil:
			all = append(all, o)
		}
	}
	if len(all) == 0 && len(c.diags) == before {
		c.report(rangeAt(src, 0), "Empty manifest", "This manifest holds no object.")
	}
	return all
}

// document is one YAML document of a manifest.
type document struct {
	text []byte
	line int // of its first line, counted from 1
}

// splitDocuments splits where kubectl does: at lines that begin with ---. It returns the line in
// which something other than a comment follows on that.
func splitDocuments(text []byte) (all []document, wrong int) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	start, line, first := 0, 1, 1
	for at := 0; at < len(text); line++ {
		end := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if rest, is := bytes.CutPrefix(text[at:end], []byte("---")); is {
			if rest = bytes.TrimSpace(rest); len(rest) > 0 && rest[0] != '#' {
				return nil, line
			}
			all = append(all, document{text[start:at], first})
			start, first = end, line+1
		}
		at = end
	}
	return append(all, document{text[start:], first}), 0
}

// problem is what is wrong with a document; fatal, that nothing after it is worth reading.
type problem struct {
	line            int // within the document
	summary, detail string
	fatal           bool
}

// decodeObject decodes a document; without content it is no object and no problem.
func (c *collector) decodeObject(d document) (object, *problem) {
	var root, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(d.text))
	err := decoder.Decode(&root)
	if errors.Is(err, io.EOF) {
		return object{}, nil
	}
	if err == nil {
		if err = decoder.Decode(&more); err == nil {
			return object{}, &problem{line: max(1, more.Line), summary: "Invalid YAML", detail: "A new document begins here. What separates documents is --- on a line of its own."}
		}
	}
	if !errors.Is(err, io.EOF) {
		return object{}, invalidYAML(err, d.text)
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) == 0 {
		return object{}, nil
	}
	node := root.Content[0]
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return object{}, nil
	}
	if p := c.manifests.take(node, 1); p != nil {
		return object{}, p
	}
	var value map[string]any
	if node.Kind == yaml.MappingNode {
		if err := kubeyaml.Unmarshal(d.text, &value); err != nil {
			return object{}, invalidYAML(err, d.text)
		}
	}
	return identify(node, value)
}

// invalidYAML words an error of a YAML parser.
func invalidYAML(err error, text []byte) *problem {
	line, message := 1, err.Error()
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = yamlLine.ReplaceAllString(message, "")
	}
	for _, lead := range []string{"error converting YAML to JSON: ", "yaml: "} {
		message = strings.TrimPrefix(message, lead)
	}
	detail := fmt.Sprintf("This manifest is not YAML: %s.", message)
	// The parsers name the line before, or after, or none.
	for i, l := range strings.SplitN(string(text), "\n", line+2) {
		if i+2 >= line && i <= line && strings.Contains(l[:len(l)-len(strings.TrimLeft(l, " \t"))], "\t") {
			return &problem{line: i + 1, summary: "Invalid YAML", detail: detail + " This line is indented with a tab: YAML takes spaces alone."}
		}
	}
	return &problem{line: line, summary: "Invalid YAML", detail: detail}
}

// identify returns the object of a document with what identifies it, or what is wrong with that.
func identify(node *yaml.Node, value map[string]any) (object, *problem) {
	metadata, _ := value["metadata"].(map[string]any)
	metadataNode := yamlField(node, "metadata")
	var parts []string
	for _, field := range []struct {
		name  string
		node  *yaml.Node
		value any
	}{
		{"apiVersion", yamlField(node, "apiVersion"), value["apiVersion"]},
		{"kind", yamlField(node, "kind"), value["kind"]},
		{"metadata.name", yamlField(metadataNode, "name"), metadata["name"]},
		{"metadata.namespace", yamlField(metadataNode, "namespace"), metadata["namespace"]},
	} {
		text, isText := field.value.(string)
		switch {
		case field.name == "metadata.namespace" && field.value == nil:
		case field.value == nil || text == "" && isText:
			return object{}, &problem{line: node.Line, summary: "Not a Kubernetes object", detail: fmt.Sprintf("This document has no %s.", field.name)}
		case !isText:
			line := node.Line
			if field.node != nil {
				line = field.node.Line
			}
			return object{}, &problem{line: line, summary: "Not a Kubernetes object", detail: fmt.Sprintf("The field %s must be a text; put it in quotes.", field.name)}
		}
		parts = append(parts, text)
	}
	o := object{id: parts[1] + "/" + parts[2], value: value}
	if parts[3] != "" {
		o.id += " in namespace " + parts[3]
	}
	return o, nil
}

// yamlField returns a field of a mapping, or nil.
func yamlField(node *yaml.Node, name string) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
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

package draft

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/labctl/labctl/internal/untrusted"
)

var yamlLine = regexp.MustCompile(`line (\d+): `)

const maxNodes = 20000

// decode decodes one YAML document (or JSON, which is YAML) of the exercise. Aliases are refused: a few lines of them can
// stand for more than the memory holds. It returns the lines of the keys at the top.
func (e *exercise) decode(file string, into any) (map[string]int, error) {
	text, err := e.text(file, file, 0)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader([]byte(text))).Decode(&root); err != nil {
		return nil, notYAML(file, err)
	}
	left := maxNodes
	if err := plainNodes(file, &root, &left); err != nil {
		return nil, err
	}
	lines := map[string]int{}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, refuse(file, 1, "it is not a map of fields")
	}
	for i := 0; i+1 < len(root.Content[0].Content); i += 2 {
		lines[root.Content[0].Content[i].Value] = root.Content[0].Content[i].Line
	}
	if err := root.Decode(into); err != nil {
		return nil, notYAML(file, err)
	}
	return lines, nil
}

func notYAML(file string, err error) error {
	line, message := 0, err.Error()
	var types *yaml.TypeError
	if errors.As(err, &types) && len(types.Errors) > 0 {
		message = types.Errors[0]
	}
	if found := yamlLine.FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = yamlLine.ReplaceAllString(message, "")
	}
	return refuse(file, line, "%s", untrusted.Line(strings.TrimPrefix(message, "yaml: ")))
}

// plainNodes refuses aliases, and more nodes than an exercise needs.
func plainNodes(file string, n *yaml.Node, left *int) error {
	if *left--; *left < 0 {
		return refuse(file, n.Line, "it has too many fields")
	}
	if n.Kind == yaml.AliasNode {
		return refuse(file, n.Line, "aliases (*%s) are not taken", untrusted.Line(n.Value))
	}
	for _, c := range n.Content {
		if err := plainNodes(file, c, left); err != nil {
			return err
		}
	}
	return nil
}

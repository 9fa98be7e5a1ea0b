package labfile

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// What all manifests of a lab may hold together, with their aliases expanded. They are kept with the
// lab, and sent to an API server that takes 1.5 MiB for an object.
const (
	// MaxManifests is how many manifests a seed may name.
	MaxManifests = 100
	// MaxObjects is how many Kubernetes objects they make.
	MaxObjects = 1000
	// MaxValues is how many keys and values these have.
	MaxValues = 100_000
	// MaxText is how many bytes these take.
	MaxText = 4 << 20
)

// budget counts what the manifests of a lab hold.
type budget struct {
	objects, values, text int
}

// spent reports whether nothing more will be taken.
func (b *budget) spent() bool {
	return b.objects > MaxObjects || b.values > MaxValues || b.text > MaxText
}

// take counts an object as the decoder would make it: an alias as often as it is used. It stops
// as soon as there is too much. A key that is there twice is a problem, too: of the two values one
// would silently win.
func (b *budget) take(object *yaml.Node, depth int) *problem {
	b.objects++
	if b.objects > MaxObjects {
		return tooMuch(object, "%d objects", MaxObjects)
	}
	return b.count(object, depth)
}

func (b *budget) count(node *yaml.Node, depth int) *problem {
	b.values++
	b.text += len(node.Value)
	switch {
	case b.values > MaxValues:
		return tooMuch(node, "%d keys and values", MaxValues)
	case b.text > MaxText:
		return tooMuch(node, "%d MiB of them", MaxText>>20)
	case depth > MaxNesting:
		return &problem{line: node.Line, summary: "Nested too deeply", detail: fmt.Sprintf("Lists and maps may be nested %d deep, and this is one more.", MaxNesting)}
	case node.Kind == yaml.AliasNode:
		// One that holds itself is nested without end.
		return b.count(node.Alias, depth+1)
	}
	keys := map[string]bool{}
	for i, inner := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && inner.Kind == yaml.ScalarNode {
			if keys[inner.Value] {
				return &problem{line: inner.Line, summary: "Duplicate key", detail: fmt.Sprintf("The key %q is there twice.", inner.Value)}
			}
			keys[inner.Value] = true
		}
		if p := b.count(inner, depth+1); p != nil {
			return p
		}
	}
	return nil
}

func tooMuch(node *yaml.Node, what string, limit int) *problem {
	return &problem{
		line:    node.Line,
		summary: "Manifests too large",
		detail: fmt.Sprintf("All manifests of a lab together hold at most "+what+
			", where an alias such as *x counts as all that it stands for. Here it becomes more. Make it less, or several labs.", limit),
		fatal: true,
	}
}

package labfile

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// shape says what a block may contain.
type shape struct {
	attributes []string
	required   []string // those of attributes that must be there
	blocks     []string
	renamed    map[string]string // words of the format's first edition: the attribute or block that each is now
}

// block reads one block. Its methods report what is wrong with an attribute and return false as
// second result when there is no value to use: not given, or reported.
type block struct {
	*collector
	scope *scope
	// what names the block for people: `cluster "my-cluster"`.
	what   string
	at     hcl.Range // its header
	syntax *hclsyntax.Body
}

// open checks a block against its shape.
func (c *collector) open(body *hclsyntax.Body, what string, at hcl.Range, s *scope, allowed shape) *block {
	b := &block{collector: c, scope: s, what: what, at: at, syntax: body}
	var misspelt []string // what unknown attributes were probably meant to be
	for name, attribute := range body.Attributes {
		switch {
		case slices.Contains(allowed.attributes, name):
		case slices.Contains(allowed.blocks, name):
			c.report(attribute.NameRange, "A block, not an attribute", "%q is a block: write %s { … } without an equals sign.", name, name)
		case allowed.renamed[name] != "":
			misspelt = append(misspelt, allowed.renamed[name])
			c.report(attribute.NameRange, "Renamed", "%q is now called %q.", name, allowed.renamed[name])
		default:
			meant := nearest(name, allowed.attributes)
			misspelt = append(misspelt, meant)
			c.report(attribute.NameRange, "Unknown attribute", "%s has no attribute %q.%s", upperFirst(what), name, orMean(meant))
		}
	}
	for _, inner := range body.Blocks {
		switch {
		case slices.Contains(allowed.blocks, inner.Type):
		case slices.Contains(allowed.attributes, inner.Type):
			c.report(inner.TypeRange, "An attribute, not a block", "%q is an attribute: write %s = … .", inner.Type, inner.Type)
		case allowed.renamed[inner.Type] != "":
			c.report(inner.TypeRange, "Renamed", "%q is now called %q.", inner.Type, allowed.renamed[inner.Type])
		default:
			c.report(inner.TypeRange, "Unknown block", "%s has no block %q.%s", upperFirst(what), inner.Type,
				didYouMean(inner.Type, allowed.blocks))
		}
	}
	for _, name := range allowed.required {
		if body.Attributes[name] == nil && !slices.Contains(misspelt, name) {
			c.missing(at, "Missing attribute", "%s needs the attribute %q.", upperFirst(what), name)
		}
	}
	return b
}

// header returns the range of a block's type and labels.
func header(b *hclsyntax.Block) hcl.Range { return b.DefRange() }

// labels checks that a block has the labels that it should have, each named for the message.
func (c *collector) labels(b *hclsyntax.Block, names ...string) bool {
	switch {
	case len(b.Labels) < len(names):
		example := b.Type
		for _, name := range names {
			example += fmt.Sprintf(" %q", name)
		}
		c.report(header(b), "Missing label", "Write it as: %s { … }.", example)
		return false
	case len(b.Labels) > len(names):
		c.report(b.LabelRanges[len(names)], "Too many labels", "The block %q has %d here: %s.", b.Type, len(names), orNone(list(names)))
		return false
	}
	return true
}

// each returns the blocks of a type, in the order of the file.
func (b *block) each(kind string) []*hclsyntax.Block {
	var found []*hclsyntax.Block
	for _, inner := range b.syntax.Blocks {
		if inner.Type == kind {
			found = append(found, inner)
		}
	}
	return found
}

// single returns the only block of a type; nil when there is none.
func (b *block) single(kind string) *hclsyntax.Block {
	found := b.each(kind)
	if len(found) == 0 {
		return nil
	}
	for _, second := range found[1:] {
		b.report(header(second), "Duplicate block", "%s has one %q block; the first is on line %d.",
			upperFirst(b.what), kind, found[0].TypeRange.Start.Line)
	}
	return found[0]
}

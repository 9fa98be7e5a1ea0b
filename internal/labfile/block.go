package labfile

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// shape says what a block may contain.
type shape struct {
	attributes []string
	required   []string // those of attributes that must be there
	blocks     []string
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

// value returns an attribute's value, never null.
func (b *block) value(name string) (cty.Value, hcl.Range, bool) {
	attribute := b.syntax.Attributes[name]
	if attribute == nil {
		return cty.DynamicVal, b.at, false
	}
	rng := attribute.Expr.Range()
	value, ok := b.evaluate(attribute.Expr, b.scope)
	if ok && value.IsNull() {
		b.report(rng, "No value", "%q is null. Leave it out instead.", name)
		ok = false
	}
	return value, rng, ok
}

// typed is value, converted.
func (b *block) typed(name string, t cty.Type, need string) (cty.Value, hcl.Range, bool) {
	value, rng, ok := b.value(name)
	if !ok {
		return value, rng, false
	}
	converted, err := convert.Convert(value, t)
	if err == nil && !converted.IsWhollyKnown() {
		return converted, rng, false
	}
	if err == nil {
		err = nullWithin(converted)
	}
	if err != nil {
		b.report(rng, "Wrong type", "%q must be %s, and this is %s.", name, need, article(value.Type().FriendlyName()))
		return value, rng, false
	}
	return converted, rng, true
}

// nullWithin refuses lists and maps with null elements.
func nullWithin(v cty.Value) error {
	if !v.CanIterateElements() {
		return nil
	}
	for _, element := range v.Elements() {
		if element.IsNull() {
			return fmt.Errorf("an element is null")
		}
	}
	return nil
}

func (b *block) text(name string) (string, bool) {
	value, _, ok := b.typed(name, cty.String, "a text")
	if !ok {
		return "", false
	}
	return value.AsString(), true
}

// prose is a text for people: not empty, without the blank lines around a heredoc.
func (b *block) prose(name string) string {
	text, ok := b.text(name)
	text = strings.TrimSpace(text)
	if ok && text == "" {
		b.report(b.rangeOf(name), "Empty text", "%q says nothing.", name)
	}
	return text
}

// texts is a list of texts; a single text is a list of one.
func (b *block) texts(name string) ([]string, bool) {
	value, rng, ok := b.value(name)
	if !ok {
		return nil, false
	}
	if value.Type() == cty.String {
		return []string{value.AsString()}, true
	}
	converted, err := convert.Convert(value, cty.List(cty.String))
	if err == nil {
		err = nullWithin(converted)
	}
	if err != nil {
		b.report(rng, "Wrong type", "%q must be a list of texts, and this is %s.", name, article(value.Type().FriendlyName()))
		return nil, false
	}
	all := make([]string, 0, converted.LengthInt())
	for _, element := range converted.AsValueSlice() {
		all = append(all, element.AsString())
	}
	return all, true
}

func (b *block) textMap(name string) map[string]string {
	value, _, ok := b.typed(name, cty.Map(cty.String), "a map of texts")
	if !ok || value.LengthInt() == 0 {
		return nil
	}
	all := map[string]string{}
	for key, element := range value.AsValueMap() {
		all[key] = element.AsString()
	}
	return all
}

func (b *block) flag(name string) bool {
	value, _, ok := b.typed(name, cty.Bool, "true or false")
	return ok && value.True()
}

// count is a whole number between least and most.
func (b *block) count(name string, least, most int) (int, bool) {
	value, rng, ok := b.typed(name, cty.Number, "a number")
	if !ok {
		return 0, false
	}
	n, accuracy := value.AsBigFloat().Int64()
	if accuracy != big.Exact || n < int64(least) || n > int64(most) {
		b.report(rng, "Number out of range", "%q must be a whole number from %d to %d.", name, least, most)
		return 0, false
	}
	return int(n), true
}

// duration is a time such as "90m", between least and most.
func (b *block) duration(name string, least, most time.Duration) (time.Duration, bool) {
	text, ok := b.text(name)
	if !ok {
		return 0, false
	}
	rng := b.rangeOf(name)
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		b.report(rng, "Not a duration", `%q must be a time such as "30s", "90m" or "4h"; %q is not one.`, name, text)
		return 0, false
	case d < least || d > most:
		b.report(rng, "Duration out of range", "%q must be from %s to %s.", name, spell(least), spell(most))
		return 0, false
	}
	return d, true
}

// rangeOf returns where an attribute's value stands, or else the block's header.
func (b *block) rangeOf(name string) hcl.Range {
	if attribute := b.syntax.Attributes[name]; attribute != nil {
		return attribute.Expr.Range()
	}
	return b.at
}

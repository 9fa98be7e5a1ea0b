package labfile

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/labctl/labctl/internal/count"
)

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
		b.report(rng, "Duration out of range", "%q must be from %s to %s.", name, count.Duration(least), count.Duration(most))
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

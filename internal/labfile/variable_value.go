package labfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// envPrefix is what the environment variable of a lab's variable begins with.
const envPrefix = "LABCTL_VAR_"

// variableValue is a value from outside of the file.
type variableValue struct {
	text  string    // as typed; for a .labvars file empty
	value cty.Value // of a .labvars file; else cty.NilVal
	rng   hcl.Range // of a .labvars file
	from  string    // "--var region", "LABCTL_VAR_region" or "class.labvars"
}

// variableValues gathers what was given from outside, by name of the variable.
func (b *block) variableValues(opt Options, names []string) map[string]variableValue {
	from := map[string]variableValue{}
	for _, src := range opt.LabVars {
		b.readLabVars(src, names, from)
	}
	for _, entry := range opt.Environ {
		key, text, _ := strings.Cut(entry, "=")
		if name, is := strings.CutPrefix(key, envPrefix); is && slices.Contains(names, name) {
			from[name] = variableValue{text: text, from: key}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(opt.Vars)) {
		if slices.Contains(names, name) {
			from[name] = variableValue{text: opt.Vars[name], from: "--var " + name}
		} else if !b.partial {
			hint := didYouMean(name, names)
			if hint == "" {
				hint = " It declares " + orNone(list(slices.Sorted(slices.Values(names)))) + "."
			}
			b.reportNowhere("Unknown variable", "--var %s: the lab file declares no variable of that name.%s", name, hint)
		}
	}
	return from
}

// readLabVars reads one .labvars file: attributes without references.
func (b *block) readLabVars(src Source, names []string, from map[string]variableValue) {
	// What is missing from this file is not missing from the lab file.
	partial := b.partial
	body := b.parseFile(src)
	b.partial = partial
	if body == nil {
		return
	}
	for _, inner := range body.Blocks {
		b.report(header(inner), "A block in a .labvars file", "A .labvars file holds lines such as region = %q, and no blocks.", "eu-west-1")
	}
	for name, attribute := range body.Attributes {
		if !slices.Contains(names, name) {
			if !partial {
				b.report(attribute.NameRange, "Unknown variable", "The lab file declares no variable %q.%s", name, didYouMean(name, names))
			}
			continue
		}
		rng := attribute.Expr.Range()
		value, ok := b.evaluate(attribute.Expr, &scope{calls: b.scope.calls})
		if ok && value.IsNull() {
			b.report(rng, "No value", "%q is null. Leave it out instead.", name)
			ok = false
		}
		if ok {
			from[name] = variableValue{value: generalize(value), rng: rng, from: src.Name}
		} else if b.diags.HasErrors() {
			from[name] = variableValue{value: cty.DynamicVal, rng: rng, from: src.Name}
		}
	}
}

// take sets v to a value from outside.
func (b *block) take(v *variable, g variableValue, want cty.Type) {
	if want == cty.DynamicPseudoType && g.value == cty.NilVal {
		want = cty.String // without a type and a default, a variable is a text
	}
	value := g.value
	src := Source{Name: g.from, Bytes: []byte(g.text)}
	switch {
	case value == cty.DynamicVal:
		return // reported where it stands
	case value != cty.NilVal:
	case !b.acceptText(src):
		return
	case want.IsPrimitiveType():
		value = cty.StringVal(g.text)
	default:
		// A list or a map is typed as in a file.
		tokens, _ := hclsyntax.LexExpression(src.Bytes, src.Name, hcl.InitialPos)
		if !b.acceptTokens(tokens) {
			return
		}
		expr, diags := hclsyntax.ParseExpression(src.Bytes, src.Name, hcl.InitialPos)
		b.diags = append(b.diags, diags...)
		if diags.HasErrors() {
			return
		}
		boundNumbers(expr)
		var ok bool
		if value, ok = b.evaluate(expr, &scope{calls: b.scope.calls}); !ok {
			return
		}
		value = generalize(value)
	}
	converted, err := convert.Convert(value, want)
	if err != nil || converted.IsNull() || !converted.IsWhollyKnown() {
		need := article(want.FriendlyName())
		if g.rng.Filename != "" {
			b.report(g.rng, "Wrong type", "The variable %q must be %s, and this is %s.", v.name, need, article(value.Type().FriendlyName()))
		} else {
			b.report(v.header, "Wrong type", "The variable %q must be %s, and %s gives %q.", v.name, need, g.from, g.text)
		}
		return
	}
	if sizeOf(converted, maxResult) > maxResult || longNumber(converted) {
		b.report(v.header, "Value too large", "A variable holds at most %d KiB, and a number at most %d digits; %s gives more.", maxResult>>10, maxDigits, g.from)
		return
	}
	v.value, v.given = converted, true
}

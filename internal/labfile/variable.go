package labfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// maxCircle bounds how many references of a circle are spelled out.
const maxCircle = 10

// variable is a variable block.
type variable struct {
	name   string
	header hcl.Range
	block  *block
	// want is the declared type; cty.DynamicPseudoType when the default fixes it.
	want  cty.Type
	value cty.Value // cty.DynamicVal while unknown, or when there is none to use
	given bool      // the value came from outside of the file
	state int       // of the walk through the references: open, done or not seen yet
}

const (
	_ = iota // not seen yet
	open
	done
)

// variables decodes the variable blocks and returns the value of each: given, or the default. The second
// result is Lab.Given.
func (b *block) variables(opt Options) (map[string]cty.Value, []byte) {
	declared := map[string]*variable{}
	var order []*variable
	for _, at := range b.each("variable") {
		if !b.labels(at, "name") {
			continue
		}
		name := at.Labels[0]
		if !hclsyntax.ValidIdentifier(name) {
			b.report(at.LabelRanges[0], "Invalid name", "The variable %q must be a word of letters, digits and underscores.", name)
			continue
		}
		if first := declared[name]; first != nil {
			b.report(header(at), "Duplicate variable", "The variable %q is already declared on line %d.", name, first.header.Start.Line)
			continue
		}
		inner := b.open(at.Body, `variable "`+name+`"`, header(at), b.scope, shape{attributes: []string{"default", "description", "type"}})
		v := &variable{name: name, header: header(at), block: inner, want: cty.DynamicPseudoType, value: cty.DynamicVal}
		if attribute := at.Body.Attributes["type"]; attribute != nil {
			want, diags := typeexpr.TypeConstraint(attribute.Expr)
			b.diags = append(b.diags, diags...)
			if !diags.HasErrors() {
				v.want = want
			}
		}
		declared[name] = v
		order = append(order, v)
	}

	values := map[string]cty.Value{}
	for name := range declared {
		values[name] = cty.DynamicVal
	}
	b.scope.roots["var"] = values
	from := b.variableValues(opt, slices.Collect(maps.Keys(declared)))
	for _, v := range order {
		b.resolve(v, declared, from, nil)
	}
	given := hclwrite.NewEmptyFile()
	for _, v := range order {
		v.block.text("description")
		if v.given && v.value.IsWhollyKnown() {
			given.Body().SetAttributeValue(v.name, v.value)
		}
	}
	return values, given.Bytes()
}

// reference is one variable's mention of another.
type reference struct {
	from, to string
	at       hcl.Range
}

// resolve finds the value of v, after those that its default refers to. path is the way of
// references that led here.
func (b *block) resolve(v *variable, all map[string]*variable, from map[string]variableValue, path []reference) {
	switch v.state {
	case done:
		return
	case open:
		b.reportCycle(v.name, path)
		return
	}
	v.state = open
	attribute := v.block.syntax.Attributes["default"]
	if attribute != nil {
		for _, ref := range attribute.Expr.Variables() {
			if ref.RootName() != "var" {
				continue
			}
			name, _ := memberName(ref)
			if target := all[name]; target != nil {
				b.resolve(target, all, from, append(path, reference{v.name, name, ref.SourceRange()}))
			}
		}
	}
	v.state = done

	// The default is checked even where it is not used.
	var fallback cty.Value
	usable := false
	if attribute != nil {
		fallback, _, usable = v.block.value("default")
		usable = usable && b.fits(&fallback, v, attribute.Expr.Range(), "default of")
	}
	if value, set := from[v.name]; set {
		want := v.want
		if want == cty.DynamicPseudoType && usable {
			want = fallback.Type()
		} else if want == cty.DynamicPseudoType && attribute != nil {
			return // what is wrong with the default is reported
		}
		b.take(v, value, want)
	} else if attribute == nil {
		b.missing(v.header, "Variable without a value", "The variable %q has no default, and no value was given. "+
			"Give it with --var %s=…, in the environment as %s%s=…, or in a .labvars file as %s = … .", v.name, v.name, envPrefix, v.name, v.name)
	} else if usable {
		v.value = fallback
	}
	b.scope.roots["var"][v.name] = v.value
}

// fits converts a value to the variable's type and bounds its size.
func (b *block) fits(value *cty.Value, v *variable, rng hcl.Range, what string) bool {
	converted, err := convert.Convert(generalize(*value), v.want)
	switch {
	case err != nil:
		b.report(rng, "Wrong type", "The %s variable %q must be %s, and this is %s.", what, v.name,
			article(v.want.FriendlyName()), article(value.Type().FriendlyName()))
		return false
	case sizeOf(converted, maxResult) > maxResult:
		b.report(rng, "Value too large", "A variable holds at most %d KiB.", maxResult>>10)
		return false
	}
	*value = converted
	return true
}

// reportCycle reports variables that refer to one another in a circle. path ends with the
// reference that closes it.
func (b *block) reportCycle(name string, path []reference) {
	start := slices.IndexFunc(path, func(r reference) bool { return r.from == name })
	if start < 0 {
		return
	}
	circle := path[start:]
	circle = circle[:min(len(circle), maxCircle)]
	var steps []string
	for _, r := range circle {
		steps = append(steps, fmt.Sprintf("%s refers to %s on line %d", r.from, r.to, r.at.Start.Line))
	}
	for _, r := range circle {
		b.report(r.at, "Cyclic reference", "The defaults of variables refer to one another in a circle: %s.", strings.Join(steps, ", "))
	}
}

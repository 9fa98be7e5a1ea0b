package labfile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// The bounds of an expression that is evaluated while a file is parsed.
const (
	maxResult     = 16 << 10 // bytes of a function's or a variable's value
	maxReferences = 500      // references and calls in one expression
)

// scope is what an expression may refer to: root name -> member -> value. A root whose members
// are nil, such as self, has members that are known only when the lab runs.
type scope struct {
	roots map[string]map[string]cty.Value
	// elsewhere explains roots that exist, but not here.
	elsewhere map[string]string
	calls     map[string]function.Function
	// live are roots that conditions have besides these.
	live map[string]map[string]cty.Value
}

// context returns what an expression needs of the scope, as HCL wants it. A scope can have
// thousands of members, and to build objects of them all for each expression takes minutes.
func (s *scope) context(expr hclsyntax.Expression) *hcl.EvalContext {
	needed := map[string]map[string]cty.Value{}
	whole := map[string]bool{}
	for _, ref := range expr.Variables() {
		root := ref.RootName()
		name, is := memberName(ref)
		if !is {
			whole[root] = true
			continue
		}
		if value, known := s.roots[root][name]; known {
			if needed[root] == nil {
				needed[root] = map[string]cty.Value{}
			}
			needed[root][name] = value
		}
	}
	vars := make(map[string]cty.Value, len(s.roots))
	for root, members := range s.roots {
		switch {
		case members == nil:
			vars[root] = cty.DynamicVal
		case whole[root]:
			vars[root] = cty.ObjectVal(members)
		default:
			vars[root] = cty.ObjectVal(needed[root])
		}
	}
	return &hcl.EvalContext{Variables: vars, Functions: s.calls}
}

// memberName returns x of var.x and var["x"].
func memberName(ref hcl.Traversal) (string, bool) {
	if len(ref) < 2 {
		return "", false
	}
	switch step := ref[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

// checkNames reports every name in expr that s does not have, and wrong numbers of arguments.
func (c *collector) checkNames(expr hclsyntax.Expression, s *scope) bool {
	ok := true
	for _, ref := range expr.Variables() {
		ok = c.checkReference(ref, s) && ok
	}
	walk(expr, func(node hclsyntax.Node) {
		ok = c.checkFilled(node) && ok
		call, is := node.(*hclsyntax.FunctionCallExpr)
		if !is {
			return
		}
		f, known := s.calls[call.Name]
		if !known {
			c.report(call.NameRange, "Unknown function", "There is no function %q.%s%s",
				call.Name, didYouMean(call.Name, slices.Collect(maps.Keys(s.calls))), c.escapeHint(call.NameRange))
			ok = false
			return
		}
		least, most := len(f.Params()), len(f.Params())
		if f.VarParam() != nil {
			most = -1
			if call.Name == "try" {
				least = 1
			}
		}
		if call.Name == "regexmatch" && len(call.Args) > 0 {
			ok = c.checkPattern(call.Args[0]) && ok
		}
		switch got := len(call.Args); {
		case call.ExpandFinal:
		case got < least, most >= 0 && got > most:
			word := ""
			if most < 0 {
				word = "at least "
			}
			c.report(call.Range(), "Wrong number of arguments", "The function %q takes %s%d, and %d are given.", call.Name, word, least, got)
			ok = false
		}
	})
	return ok
}

// checkPattern reports a regular expression that is written out and wrong. Without this it would
// be found only on a live object.
func (c *collector) checkPattern(expr hclsyntax.Expression) bool {
	text, is := expr.(*hclsyntax.TemplateExpr)
	if !is || !text.IsStringLiteral() {
		return true
	}
	value, diags := text.Value(nil)
	if diags.HasErrors() {
		return true
	}
	if _, err := regexp.Compile(value.AsString()); err != nil {
		c.report(expr.Range(), "Invalid regular expression", "%s.", upperFirst(err.Error()))
		return false
	}
	return true
}

func (c *collector) checkReference(ref hcl.Traversal, s *scope) bool {
	root := ref.RootName()
	members, known := s.roots[root]
	if !known {
		roots := slices.Sorted(maps.Keys(s.roots))
		literal := c.escapeHint(ref.SourceRange())
		switch where, hint := s.elsewhere[root], didYouMean(root, roots); {
		case where != "":
			c.report(ref.SourceRange(), "Unknown reference", "%s%s", where, literal)
		case hint != "":
			c.report(ref.SourceRange(), "Unknown reference", "There is nothing called %q here.%s%s", root, hint, literal)
		case literal != "":
			c.report(ref.SourceRange(), "Unknown reference", "There is nothing called %q here, only %s.%s", root, orNone(list(roots)), literal)
		case len(roots) == 0:
			c.report(ref.SourceRange(), "Unknown reference", "Nothing can be referred to here. If %s is meant as a text, put it in quotes.", root)
		default:
			c.report(ref.SourceRange(), "Unknown reference", "There is nothing called %q here, only %s. If it is meant as a text, put it in quotes.", root, list(roots))
		}
		return false
	}
	name, is := memberName(ref)
	if members == nil || !is {
		return true
	}
	if _, known := members[name]; known {
		return true
	}
	var names []string
	if len(members) <= maxSuggestions {
		names = slices.Sorted(maps.Keys(members))
	}
	what := map[string]string{"var": "variable", "input": "input", "live": "object"}[root]
	if what == "" {
		what = root
	}
	rng := hcl.RangeBetween(ref[0].SourceRange(), ref[1].SourceRange())
	hint := didYouMean(name, names)
	if hint == "" {
		hint = fmt.Sprintf(" Declare it with: %s %q {}.", what, name)
	}
	c.missing(rng, "Unknown "+what, "No %s %q is declared.%s", what, name, hint)
	return false
}

// evaluate returns the value of an expression, or false after having reported why there is none.
// A value that depends on something already reported is also false, silently.
func (c *collector) evaluate(expr hclsyntax.Expression, s *scope) (cty.Value, bool) {
	if !c.checkNames(expr, s) {
		return cty.DynamicVal, false
	}
	if !c.checkBounds(expr) {
		return cty.DynamicVal, false
	}
	value, diags := expr.Value(s.context(expr))
	c.diags = append(c.diags, diags...)
	if diags.HasErrors() || value == cty.NilVal || !value.IsWhollyKnown() {
		return cty.DynamicVal, false
	}
	return value, true
}

// checkBounds reports what may take long in an expression that is evaluated while a file is parsed.
func (c *collector) checkBounds(expr hclsyntax.Expression) bool {
	references := len(expr.Variables())
	loops := false
	walk(expr, func(node hclsyntax.Node) {
		switch node.(type) {
		case *hclsyntax.FunctionCallExpr:
			references++
		case *hclsyntax.ForExpr:
			loops = true
		}
	})
	if loops {
		c.report(expr.Range(), "No loops here", "A for expression can be used only in holds and inconclusive_if.")
		return false
	}
	if references > maxReferences {
		c.report(expr.Range(), "Expression too long", "An expression has at most %d references and calls.", maxReferences)
		return false
	}
	return true
}

// checkCondition checks an expression that will be evaluated on live objects: its names, and as
// much of its types as can be known without them. Its answer must be true or false.
func (c *collector) checkCondition(expr hclsyntax.Expression, s *scope) {
	if !c.checkNames(expr, s) || loopDepth(expr) > 1 || len(expr.Range().SliceBytes(c.files[expr.Range().Filename])) > 8<<10 {
		return
	}
	value, diags := expr.Value(s.context(expr))
	c.diags = append(c.diags, diags...)
	if diags.HasErrors() || value == cty.NilVal {
		return
	}
	if t := value.Type(); t != cty.DynamicPseudoType && t != cty.Bool {
		c.report(expr.Range(), "Not a yes or no", "This expression must be true or false, and it is %s.", article(t.FriendlyName()))
	}
}

// loopDepth returns how deeply for expressions lie in one another.
func loopDepth(expr hclsyntax.Expression) int {
	w := &loopWalker{}
	hclsyntax.Walk(expr, w)
	return w.deepest
}

type loopWalker struct{ depth, deepest int }

func (w *loopWalker) Enter(node hclsyntax.Node) hcl.Diagnostics {
	if _, is := node.(*hclsyntax.ForExpr); is {
		w.depth++
		w.deepest = max(w.deepest, w.depth)
	}
	return nil
}

func (w *loopWalker) Exit(node hclsyntax.Node) hcl.Diagnostics {
	if _, is := node.(*hclsyntax.ForExpr); is {
		w.depth--
	}
	return nil
}

func walk(node hclsyntax.Node, visit func(hclsyntax.Node)) {
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		visit(n)
		return nil
	})
}

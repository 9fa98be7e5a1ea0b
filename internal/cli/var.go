package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// varFlags are the values of --var by name. What follows the first = is the value as it is, commas, quotes and
// further = included.
type varFlags map[string]string

// Set takes NAME=value.
func (v varFlags) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	switch {
	case !found:
		return errors.New("there is no = in it; write --var NAME=value")
	case !hclsyntax.ValidIdentifier(name):
		return fmt.Errorf("%q before the = is no variable's name; write --var NAME=value", name)
	}
	v[name] = value
	return nil
}

// Type is what help calls the value.
func (v varFlags) Type() string { return "NAME=value" }

// String is empty without values, so that help shows no default.
func (v varFlags) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		all = append(all, fmt.Sprintf("%s=%s", name, v[name]))
	}
	return strings.Join(all, " ")
}

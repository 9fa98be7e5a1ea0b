package labfile

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// maxName is the length of the names that a user chooses. Names of containers, security groups and
// labels are made of them, and the tightest of those has 63 characters.
const maxName = 50

var (
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	// A reference to an image, loosely: the engine has the last word.
	imageReference = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$`)
)

// wrongName says what is wrong with a name; empty when it is fine.
func wrongName(what, name string) string {
	const rule = "lowercase letters, digits and hyphens, beginning and ending with a letter or a digit"
	switch {
	case name == "":
		return fmt.Sprintf("The name of a %s cannot be empty.", what)
	case len(name) > maxName:
		return fmt.Sprintf("The name of this %s has %d characters; it may have %d.", what, len(name), maxName)
	case !dnsLabel.MatchString(name):
		return fmt.Sprintf("The name of a %s consists of %s; %q does not.", what, rule, name)
	}
	return ""
}

// IsName reports whether a text can be the name of a lab or a scenario.
func IsName(name string) bool { return wrongName("scenario", name) == "" }

// checkName reports a name that is no lowercase DNS label or is too long.
func (c *collector) checkName(rng hcl.Range, what, name string) bool {
	wrong := wrongName(what, name)
	if wrong != "" {
		c.report(rng, "Invalid name", "%s", wrong)
	}
	return wrong == ""
}

// subcommands are words that follow `labctl scenario` and would hide a scenario of that name.
var subcommands = []string{"new", "test"}

// WrongScenarioName says in a sentence why a new scenario cannot have that name; empty when it can.
func WrongScenarioName(name string) string {
	if slices.Contains(subcommands, name) {
		return fmt.Sprintf("A scenario cannot be called %q: `labctl scenario %s` is a command.", name, name)
	}
	return wrongName("scenario", name)
}

package ec2

import (
	_ "embed"
	"strings"
)

//go:embed policy.json
var policy string

// Policy returns the smallest IAM policy that labctl works with, as indented JSON. A test holds it to
// the calls that the others make.
func Policy() string { return strings.TrimSpace(policy) }

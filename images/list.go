// Package images names the images that labs need besides the node image. It is for tests and tools: labctl itself takes from a
// scenario what that needs.
package images

import (
	_ "embed"
	"strings"
)

//go:embed list
var list string

// Names returns the mirror's registry and what the catalogue's scenarios name, as the file list has them, one a line.
func Names() []string { return strings.Fields(list) }

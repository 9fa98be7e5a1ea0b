// Package labs holds the labs that labctl carries within it, so that they run from any folder.
package labs

import (
	"embed"
	"io/fs"
)

//go:embed *.hcl
var files embed.FS

// FS returns the labs: one file NAME.hcl each, at its root. It is read-only and safe for
// concurrent use.
func FS() fs.FS { return files }

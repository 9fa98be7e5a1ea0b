package labfile

import (
	"io/fs"
)

// The sizes that a file may have. They are far above what a lab needs and far below what hurts.
const (
	// MaxBytes is the size of a lab file, a definition, a .labvars file or a manifest.
	MaxBytes = 1 << 20
	// MaxNesting is how deeply brackets, blocks and templates may lie in one another.
	MaxNesting = 100
	// MaxTokens is how many words, signs and line ends a file may have.
	MaxTokens = 100_000
)

// Source is a file to parse.
type Source struct {
	// Name is what messages call the file: its path as the user gave it, or
	// "embedded:labs/day10.hcl".
	Name  string
	Bytes []byte
	// Dir holds the files that this one names (manifests); nil when there are none.
	Dir fs.FS
}

// Options is what Parse is given besides the file.
type Options struct {
	// Vars are the values of --var, by name. They win over Environ, which wins over LabVars, which
	// win over the file's defaults.
	Vars map[string]string
	// Environ is a process environment, "KEY=value"; only LABCTL_VAR_name is looked at, and names
	// that the file does not declare are ignored.
	Environ []string
	// LabVars are .labvars files, the later winning over the earlier.
	LabVars []Source
	// Catalogue holds the scenarios that a lab can use by name.
	Catalogue Definitions
	// Name is --name: another name for the lab; empty for the file's own.
	Name string
	// Local is --local: the declared host is validated and then dropped.
	Local bool
}

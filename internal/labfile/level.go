package labfile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Level says how much is known of whether a scenario judges as it should.
type Level string

// The levels.
const (
	Draft  Level = "draft"  // nothing
	Tested Level = "tested" // its symptom, its solution and its reset were seen
	Proven Level = "proven" // as well as two wrong fixes, or disturbances of a demo, each of which was told from a right one
)

// ProvenBy is how many wrong fixes or disturbances make a scenario proven that is tested.
const ProvenBy = 2

// Fingerprint is a hash of all that the definition consists of: its text, the defaults of its inputs and the lab file's
// variables that it may refer to, and each file that it names. It is empty where that cannot be told.
func (d *Definition) Fingerprint() string {
	if d.template == nil {
		return ""
	}
	sum := sha256.New()
	add := func(what string, text []byte) { fmt.Fprintf(sum, "%s %d\n%s\n", what, len(text), text) }
	add("text", d.template.block.Range().SliceBytes(d.template.text))
	values := map[string]json.RawMessage{}
	for _, input := range d.Inputs {
		raw, err := ctyjson.Marshal(input.Default, input.Default.Type())
		if err != nil {
			return ""
		}
		values["input."+input.Name] = raw
	}
	for name, v := range d.template.vars {
		raw, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return ""
		}
		values["var."+name] = raw
	}
	raw, err := json.Marshal(values) // in the order of their names
	if err != nil {
		return ""
	}
	add("values", raw)
	for _, path := range d.paths() {
		text, err := ReadBeside(d.Files, path)
		if err != nil {
			return ""
		}
		add(path, text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// paths are the files that the definition names.
func (d *Definition) paths() []string {
	var all []string
	if d.Seed != nil {
		all = madeBy(d.Seed.Manifests, d.Seed.Steps)
		for _, s := range d.Seed.Steps {
			all = append(all, s.Replace...)
		}
	}
	for _, p := range d.Probes {
		if p.Script != nil {
			all = append(all, p.Script.File)
		}
	}
	all = append(all, d.offered()...)
	slices.Sort(all)
	return slices.Compact(all)
}

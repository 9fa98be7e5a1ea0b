package labfile

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Script is what a Probe runs that is a shell script of the scenario's folder: its exit code 0 means yes and 1 no, and any
// other one neither.
type Script struct {
	File string // its path in Definition.Files
	Text string
	// Shell is what runs it, with the flags of its first line: ["/bin/sh"], ["bash", "-e"].
	Shell []string
	// Kubectl: the node's own kubectl is on its PATH.
	Kubectl bool
	// May is what its account may do; without any, what the cluster role view may, and to read nodes.
	May []Permission
}

// The bounds of a script.
const (
	defaultScriptWithin = 30 * time.Second
	maxScriptWithin     = time.Minute
	maxScript           = 64 << 10
)

// scriptPrefix is in the names of scripts among a condition's probes. No probe's name has a dot.
const scriptPrefix = "script."

// Key is what Condition.Probes calls the probe: its name, and that of a script after "script.".
func (p *Probe) Key() string {
	if p.Script != nil {
		return scriptPrefix + p.Name
	}
	return p.Name
}

// String names the probe for a person.
func (p *Probe) String() string { return ProbeNamed(p.Key()) }

// ProbeNamed names for a person what Condition.Probes has as key: "probe web", "script verify".
func ProbeNamed(key string) string {
	if name, is := strings.CutPrefix(key, scriptPrefix); is {
		return "script " + name
	}
	return "probe " + key
}

// Takes is how long what the probe runs may take altogether.
func (p *Probe) Takes() time.Duration {
	if p.Script != nil {
		return p.Within
	}
	return 2 * p.Within
}

// scripts decodes the script blocks of a scenario.
func (b *block) scripts(d *Definition) (all []*Probe) {
	for _, at := range b.each("script") {
		if !b.labels(at, "name") {
			continue
		}
		name := at.Labels[0]
		switch {
		case !hclsyntax.ValidIdentifier(name):
			b.report(at.LabelRanges[0], "Invalid name", "The script %q must be a word of letters, digits and underscores, because conditions call it script.NAME.", name)
			continue
		case slices.ContainsFunc(all, func(p *Probe) bool { return p.Name == name }):
			b.report(header(at), "Duplicate script", "The script %q is declared twice.", name)
			continue
		case len(all) == maxProbes:
			b.report(header(at), "Too many scripts", "A scenario has at most %d.", maxProbes)
			return all
		}
		all = append(all, b.script(at, name, d))
	}
	return all
}

func (b *block) script(at *hclsyntax.Block, name string, d *Definition) *Probe {
	inner := b.open(at.Body, fmt.Sprintf("script %q", name), header(at), b.scope, shape{
		attributes: []string{"image", "file", "kubectl", "may", "within"}, required: []string{"image", "file"},
	})
	s := &Script{Kubectl: inner.flag("kubectl"), May: inner.permissions("may")}
	p := &Probe{Name: name, Script: s, Within: defaultScriptWithin, Range: header(at)}
	var ok bool
	if p.Image, ok = inner.text("image"); ok && !imageReference.MatchString(p.Image) {
		inner.report(inner.rangeOf("image"), "Invalid image", "%q is not an image such as busybox:1.36.", p.Image)
	}
	if s.File, ok = inner.text("file"); ok {
		inner.readScript(s, d)
	}
	if may := inner.syntax.Attributes["may"]; may != nil {
		if texts, ok := inner.texts("may"); ok && len(texts) == 0 {
			inner.report(inner.rangeOf("may"), "Empty list", "Leave %q out: the script then may what the cluster role view may, and read nodes.", "may")
		}
		if len(s.May) > maxPermissions {
			inner.report(inner.rangeOf("may"), "Too many permissions", "A script has at most %d.", maxPermissions)
		}
	}
	if within, ok := inner.duration("within", time.Second, maxScriptWithin); ok {
		p.Within = within
	}
	return p
}

// readScript reads the script's file, and finds out what runs it.
func (b *block) readScript(s *Script, d *Definition) {
	at := b.rangeOf("file")
	text, err := ReadBeside(d.Files, s.File)
	if err != nil {
		b.report(at, "Unreadable script", "%s", strings.TrimSpace(fmt.Sprintf("The script %q cannot be read: %v. %s", s.File, err, cure(err))))
		return
	}
	b.manifests.files += len(text)
	switch {
	case len(text) > maxScript:
		b.report(at, "Script too large", "The script %q has more than %d KiB.", s.File, maxScript>>10)
		return
	case b.manifests.files > MaxText:
		b.report(at, "Scripts too large", "All manifests and scripts of a lab together have at most %d MiB, and with %q they have more.", MaxText>>20, s.File)
		return
	case len(bytes.TrimSpace(text)) == 0:
		b.report(at, "Empty script", "The script %q says nothing.", s.File)
		return
	case !b.acceptText(Source{Name: s.File, Bytes: text}):
		return
	case bytes.Contains(text, []byte("\r\n")):
		b.report(at, "Line ends of Windows", "The lines of %q end with a carriage return, which a shell takes for a part of their last words. Save it with the line ends of Unix.", s.File)
		return
	}
	s.Text = string(text)
	var known bool
	if s.Shell, known = shellOf(s.Text); !known {
		first, _, _ := strings.Cut(s.Text, "\n")
		b.report(at, "Unknown shell", "The script %q is to be run by %q; labctl runs scripts by sh or bash.", s.File, strings.TrimSpace(strings.TrimPrefix(first, "#!")))
	}
}

// shellOf is what a script's first line has it run by: sh, unless it says bash.
func shellOf(text string) (shell []string, known bool) {
	first, _, _ := strings.Cut(text, "\n")
	line, is := strings.CutPrefix(first, "#!")
	if !is {
		return []string{"/bin/sh"}, true
	}
	words := strings.Fields(line)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, false
	}
	switch path.Base(words[0]) {
	case "sh", "ash", "dash":
		return append([]string{"/bin/sh"}, words[1:]...), true
	case "bash":
		return append([]string{"bash"}, words[1:]...), true
	}
	return nil, false
}

// scriptScope is what conditions know of scripts before any is run.
func scriptScope(scripts []*Probe) map[string]cty.Value {
	known := map[string]cty.Value{}
	for _, p := range scripts {
		known[p.Name] = cty.UnknownVal(p.ResultType())
	}
	return known
}

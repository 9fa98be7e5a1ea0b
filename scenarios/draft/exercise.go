package draft

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// exercise is one that is being read, and what has become of it so far.
type exercise struct {
	name, format string
	files        map[string][]byte

	title, summary, situation, goal, topic, difficulty string
	minutes                                            int

	out            []File          // manifests and files that are taken along
	seeded         map[string]bool // "Kind/namespace/name" of what the manifests make
	clears         []string        // blocks
	top            []string        // script and probe blocks
	solved         []string        // condition and access blocks
	scripts        map[string]bool // the names of script blocks
	solution       []string        // commands
	solutionScript string
	carried, open  []Note
}

func (e *exercise) carry(file string, line int, format string, args ...any) {
	e.carried = append(e.carried, Note{untrusted.Line(file), line, untrusted.Line(fmt.Sprintf(format, args...))})
}

func (e *exercise) todo(file string, line int, format string, args ...any) {
	e.open = append(e.open, Note{untrusted.Line(file), line, untrusted.Line(fmt.Sprintf(format, args...))})
}

// keep takes a file along unchanged, once.
func (e *exercise) keep(as string, content []byte) {
	if !slices.ContainsFunc(e.out, func(f File) bool { return f.Path == as }) {
		e.out = append(e.out, File{as, content})
	}
}

// draft writes the scenario down.
func (e *exercise) draft() (*Draft, error) {
	d := &Draft{Name: e.name, Format: e.format, Type: labfile.Task}
	d.Files = append(d.Files, File{Path: "scenario.hcl"})
	d.Files = append(d.Files, e.out...)
	if len(e.solved) == 0 {
		e.todo("scenario.hcl", 0, "nothing checks whether it is solved: write conditions on what has to be so in place of the condition todo")
		e.solved = append(e.solved, "condition \"todo\" {\nsays = \"TODO: what has to be so\"\nkind = \"ConfigMap\"\nname = \"todo\"\nholds = self.data.done == \"yes\"\n}")
	}
	// What says no to an exercise that is as it was given is what its learner finds: so a script is a symptom too.
	switch {
	case len(d.manifests()) > 0 && len(e.scripts) > 0:
		d.Type = labfile.Break
	case len(d.manifests()) > 0:
		e.todo("scenario.hcl", 0, "it is a task with givens; where the manifests seed a fault, make it a break, with a symptom block that shows the fault")
	}
	if len(e.solution) == 0 && e.solutionScript == "" {
		e.todo("scenario.hcl", 0, "there is no solution: write the commands that solve it into the solution block")
	}
	e.todo("scenario.hcl", 0, "no wrong fix was tried: write at least two wrong_fix blocks, of what learners may try and must not count")
	d.Carried, d.Open = e.carried, e.open
	d.Files[0].Bytes = hclwrite.Format(e.hcl(d))
	if len(d.Files[0].Bytes) > labfile.MaxBytes {
		return nil, clierr.New(clierr.Usage, "the exercise has too many texts for one scenario")
	}
	return d, nil
}

// hcl is the text of scenario.hcl.
func (e *exercise) hcl(d *Draft) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# A draft, made from an exercise of the format %s. What is left to do:", e.format)
	for _, n := range e.open {
		line("# TODO %s: %s", n.Place(), n.Text)
	}
	line("scenario %s {", quote(e.name))
	line("type = %s", quote(string(d.Type)))
	title := oneLine(e.title, e.name)
	line("title = %s", quote(title))
	line("summary = %s", quote(oneLine(e.summary, title)))
	line("")
	line("situation = %s", quote(orElse(e.situation, "TODO: what a learner finds.")))
	line("goal = %s", quote(orElse(e.goal, title)))
	if e.topic != "" {
		line("topic = %s", quote(oneLine(e.topic, "")))
	}
	if slices.Contains([]string{"easy", "medium", "hard"}, e.difficulty) {
		line("difficulty = %s", quote(e.difficulty))
	}
	if e.minutes > 0 {
		line("minutes = %d", min(e.minutes, 240))
	}
	if paths := d.manifests(); len(paths) > 0 {
		line("\nseed {\nmanifests = %s\ntemplates = false", list(paths))
		line("# images = [\"nginx:1.25\"] # those that are to be there without Docker Hub; not one that is meant not to exist\n}")
	}
	for _, block := range slices.Concat(e.clears, e.top) {
		line("\n%s", block)
	}
	if d.Type == labfile.Break {
		line("\nsymptom {")
		for _, name := range e.scriptNames() {
			line("condition %s {\nsays = %s\nholds = !script.%s.passed\n}", quote("not-"+strings.ReplaceAll(name, "_", "-")), quote("the check "+name+" says no"), name)
			break // one step that is not done is enough
		}
		line("}")
	}
	line("\nsolved {")
	for _, block := range e.solved {
		line("%s", block)
	}
	line("}")
	e.remedy(line)
	line("}")
	return b.Bytes()
}

func (e *exercise) remedy(line func(string, ...any)) {
	says, run := "What the exercise's own solution does.", e.solution
	switch {
	case e.solutionScript != "":
		run = []string{e.solutionScript}
	case len(run) == 0:
		says, run = "TODO: how it is solved.", []string{"echo 'TODO: the commands that solve it' >&2; exit 1"}
	}
	line("\nsolution {\nsays = %s\nrun = %s\n}", quote(says), list(run))
}

func (e *exercise) scriptNames() []string {
	var names []string
	for name := range e.scripts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func oneLine(s, otherwise string) string {
	if s = text.Shorten(untrusted.Line(s), 120); s != "" {
		return s
	}
	return otherwise
}

func orElse(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return strings.TrimSpace(s)
}

// page divides the text of an exercise into a title and what follows: a heading at the top, or the first sentence.
func (e *exercise) page(markdown string) {
	markdown = strings.TrimSpace(strings.ReplaceAll(markdown, "\r\n", "\n"))
	first, rest, _ := strings.Cut(markdown, "\n")
	if heading, is := strings.CutPrefix(first, "#"); is {
		e.title = orElse(e.title, strings.Trim(heading, "# "))
	} else {
		rest = markdown
		sentence, _, _ := strings.Cut(first, ". ")
		e.title = orElse(e.title, sentence)
	}
	e.situation = orElse(e.situation, orElse(rest, e.title))
}

// manifestPath is where a manifest of the exercise goes.
func manifestPath(name string) string {
	name = strings.TrimPrefix(path.Clean(name), "manifests/")
	return "manifests/" + name
}

var notIdentifier = regexp.MustCompile(`[^a-z0-9]+`)

// identifier makes a word for a block's label of any text.
func identifier(s, sign string) string {
	s = strings.Trim(notIdentifier.ReplaceAllString(strings.ToLower(s), sign), sign)
	if len(s) > 40 {
		s = strings.Trim(s[:40], sign)
	}
	if s == "" || s[0] < 'a' {
		s = "x" + s
	}
	return s
}

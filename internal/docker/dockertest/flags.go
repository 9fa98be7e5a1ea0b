package dockertest

import (
	"slices"
	"strings"
)

// flags are a command's words, sorted.
type flags struct {
	verb string // "ps", "volume ls"
	all  map[string][]string
	args []string // the words that are no flags, up to the image of a run and what follows it
}

// valued are the flags that a word follows.
var valued = []string{"--filter", "--format", "--name", "--network", "--label", "--volume", "--env", "--entrypoint", "--time"}

func parse(args []string) flags {
	f := flags{verb: args[0], all: map[string][]string{}}
	args = args[1:]
	if slices.Contains([]string{"volume", "image", "network"}, f.verb) {
		f.verb += " " + args[0]
		args = args[1:]
	}
	for len(args) > 0 && len(f.args) == 0 || len(args) > 0 && f.verb != "run" {
		word := args[0]
		args = args[1:]
		switch {
		case slices.Contains(valued, word) && len(args) > 0:
			f.all[word[2:]] = append(f.all[word[2:]], args[0])
			args = args[1:]
		case !strings.HasPrefix(word, "-"):
			f.args = append(f.args, word)
		}
	}
	return f
}

// one is the value of a flag that is given once; "" without.
func (f flags) one(name string) string {
	if len(f.all[name]) == 0 {
		return ""
	}
	return f.all[name][0]
}

// filters are the values of the filters of one kind.
func (f flags) filters(kind string) []string {
	var all []string
	for _, text := range f.all["filter"] {
		if value, ok := strings.CutPrefix(text, kind+"="); ok {
			all = append(all, value)
		}
	}
	return all
}

// selects tells whether the filters let a container through. Names are alternatives, as docker has it.
func (f flags) selects(c *Container) bool {
	for _, state := range f.filters("status") {
		if c.State != state {
			return false
		}
	}
	for _, volume := range f.filters("volume") {
		if !slices.Contains(c.Volumes, volume) {
			return false
		}
	}
	names := f.filters("name")
	return carries(c.Labels, f.filters("label")) && (len(names) == 0 || slices.Contains(names, "^/"+c.Name+"$"))
}

// carries tells whether labels are all there; each is "key" or "key=value".
func carries(have map[string]string, want []string) bool {
	for _, label := range want {
		key, value, valued := strings.Cut(label, "=")
		if got, ok := have[key]; !ok || valued && got != value {
			return false
		}
	}
	return true
}

func pairs(labels []string) map[string]string {
	all := map[string]string{}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		all[key] = value
	}
	return all
}

func lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

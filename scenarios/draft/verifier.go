package draft

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

const maxScript = 64 << 10

var (
	namespaceFlag = regexp.MustCompile(`(?:\s-n[ =]?|\s--namespace[ =])["']?([a-z0-9-]+)["']?(?:\s|$)`)
	// What a script may do beside reading what the cluster role view shows, by the command that does it.
	rights = []struct {
		command *regexp.Regexp
		may     []string
	}{
		{regexp.MustCompile(`\bkubectl\b.*\sexec\s`), []string{"create pods/exec"}},
		{regexp.MustCompile(`\bkubectl\b.*\sport-forward\s`), []string{"create pods/portforward"}},
		{regexp.MustCompile(`\bkubectl\b.*\srun\s`), []string{"create pods", "delete pods", "create pods/attach"}},
		{regexp.MustCompile(`\bkubectl\b.*\s(get|describe)\s.*\bsecrets?\b`), []string{"get secrets", "list secrets"}},
	}
	changes   = regexp.MustCompile(`\bkubectl\b.*\s(apply|create|delete|patch|scale|label|annotate|edit|replace|set|expose|drain|cordon|taint)\s`)
	elsewhere = regexp.MustCompile(`(^|[\s;|&(])(docker|crictl|systemctl|journalctl|ssh|helm|jq|minikube|kind|sudo|apt-get)\s`)
)

// verifier makes a script of the exercise a check: exit code 0 is yes, 1 is no.
func (e *exercise) verifier(name, file string, says string) error {
	text, err := e.text(file, file, 0)
	if err != nil {
		return err
	}
	if len(text) > maxScript {
		return refuse(file, 0, "a script of a check has at most %d KiB", maxScript>>10)
	}
	for e.scripts[name] {
		name += "_more"
	}
	e.scripts[name] = true
	image := "busybox:1.36"
	if first, _, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "#!") && strings.Contains(first, "bash") {
		image = "nginx:1.25" // has bash
	}
	file = path.Clean(file)
	e.keep(file, []byte(text))
	var b strings.Builder
	fmt.Fprintf(&b, "# Runs in a pod of its own, never on your machine. Exit code 0: solved; 1: not; anything else: cannot be told.\nscript %s {\nimage = %s\nfile = %s\nkubectl = true\n",
		quote(name), quote(image), quote(file))
	if may := e.may(file, text); len(may) > 0 {
		fmt.Fprintf(&b, "# Beside reading what the cluster role view shows, by what the script calls.\nmay = %s\n", list(may))
	}
	b.WriteString("}")
	e.top = append(e.top, b.String())
	label := identifier(name, "-")
	e.solved = append(e.solved, fmt.Sprintf("condition %s {\nsays = %s\nholds = script.%s.passed\n}", quote(label), quote(oneLine(says, "the check passes")), name))
	e.carry(file, 0, "checks, as the script block %s", name)
	return nil
}

// may are the rights that a script needs, by what it calls.
func (e *exercise) may(file, text string) (all []string) {
	for i, line := range strings.Split(text, "\n") {
		code := strings.TrimSpace(line)
		if strings.HasPrefix(code, "#") {
			continue
		}
		where := "default"
		if found := namespaceFlag.FindStringSubmatch(code); found != nil {
			where = found[1]
		} else if strings.Contains(code, "-n ") || strings.Contains(code, "--namespace") || strings.Contains(code, "$") {
			where = "*"
		}
		for _, right := range rights {
			if !right.command.MatchString(code) {
				continue
			}
			for _, may := range right.may {
				if may += " in " + where; !slices.Contains(all, may) {
					all = append(all, may)
				}
			}
		}
		if changes.MatchString(code) {
			e.todo(file, i+1, "the check changes something: give it the right in `may` of its script block, or ask without changing")
		}
		if found := elsewhere.FindStringSubmatch(code); found != nil {
			e.todo(file, i+1, "the pod of the check has no %s: ask through kubectl, or with a probe block that has `node`", found[2])
		}
	}
	return all
}

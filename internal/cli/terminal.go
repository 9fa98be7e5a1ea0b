package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/labctl/labctl/internal/view"
	"github.com/labctl/labctl/provision/ec2"
)

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// width is that of the terminal on stderr.
func (a *app) width() int { return columnsOf(a.Process.Err) }

// colour: on a terminal that can, unless https://no-color.org says no.
func (a *app) colour() bool {
	return isTerminal(a.Process.Err) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// view returns the display of progress on stderr. It is closed before a result is printed.
func (a *app) view() view.View {
	mode := view.ModeFor(isTerminal(a.Process.Err), a.getenv)
	switch a.events {
	case "ndjson":
		mode = view.NDJSON
	case "plain":
		mode = view.Plain
	}
	size := func() (columns, rows int) {
		columns, rows, _ = term.GetSize(int(a.Process.Err.Fd())) // zero where it is none
		return columns, rows
	}
	return view.New(mode, a.stderr, view.Options{Now: a.now, Size: size, NoColor: !a.colour()})
}

// confirm asks a yes-or-no question on a terminal. Off a terminal the answer is no, unless --yes.
func (a *app) confirm(question string) bool {
	return a.yes || a.ask(question)
}

// answer answers a question about a lab's host. That of the price --yes may answer; what destroys a
// learner's work takes a word of its own.
func (a *app) answer(q ec2.Question, recreate bool) bool {
	if q.Kind == ec2.AskReplace {
		return recreate || a.ask(q.Text)
	}
	return a.confirm(q.Text)
}

// ask asks a yes-or-no question on a terminal. Off a terminal the answer is no.
func (a *app) ask(question string) bool {
	if !isTerminal(a.In) || !isTerminal(a.Process.Err) {
		return false
	}
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	line, _ := bufio.NewReader(a.In).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

package cli

import (
	"bufio"
	"context"
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
	return a.display.show(redactedView{view.New(mode, a.stderr, view.Options{Now: a.now, Size: size, NoColor: !a.colour()})})
}

// confirm asks a yes-or-no question on a terminal. Off a terminal the answer is no, unless --yes.
func (a *app) confirm(ctx context.Context, question string) bool {
	return a.yes || a.ask(ctx, question)
}

// answer answers a question about a lab's host. That of the price --yes may answer; what destroys a
// learner's work takes a word of its own.
func (a *app) answer(ctx context.Context, q ec2.Question, recreate bool) bool {
	if q.Kind == ec2.AskReplace {
		return recreate || a.ask(ctx, q.Text)
	}
	return a.confirm(ctx, q.Text)
}

// canAsk: there is somebody to be asked.
func (a *app) canAsk() bool { return isTerminal(a.In) && isTerminal(a.Process.Err) }

// ask asks a yes-or-no question on a terminal, where no progress is drawn over it. Off a terminal, and when
// ctx ends before there is an answer, it is no.
func (a *app) ask(ctx context.Context, question string) bool {
	if !a.canAsk() {
		return false
	}
	defer a.display.hold()()
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	line := make(chan string, 1)
	go func() { // a read from a terminal cannot be ended; labctl is about to end itself then
		text, _ := bufio.NewReader(a.In).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		answer := strings.ToLower(strings.TrimSpace(text))
		return answer == "y" || answer == "yes"
	case <-ctx.Done():
		fmt.Fprintln(a.Err)
		return false
	}
}

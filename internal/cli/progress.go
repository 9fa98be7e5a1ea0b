package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"golang.org/x/term"

	"github.com/labctl/labctl/internal/terminal"
	"github.com/labctl/labctl/internal/view"
)

// newView returns the view that fits stderr and --events.
func (a *app) newView() view.View {
	mode := view.ModeFor(terminal.Is(a.Process.Err), a.Getenv)
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
	return view.New(mode, a.stderr, view.Options{Size: size, NoColor: !a.colour()})
}

// colour: on a terminal that can, unless https://no-color.org says no.
func (a *app) colour() bool {
	return terminal.Is(a.Process.Err) && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

// canAsk: there is somebody to be asked.
func (a *app) canAsk() bool { return terminal.Is(a.In) && terminal.Is(a.Process.Err) }

// ask asks a yes-or-no question on a terminal, where no progress is drawn over it. Off a terminal, and when
// ctx ends before there is an answer, it is no.
func (a *app) ask(ctx context.Context, question string) bool {
	if !a.canAsk() {
		return false
	}
	defer a.progress.Hold()()
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

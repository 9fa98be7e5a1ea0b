package view

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/event"
)

// TestNothingIsDrawnOverAQuestion: while one is asked the screen stands still, and what happened meanwhile is
// shown after it, below the question and its answer.
func TestNothingIsDrawnOverAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80, 24)
		v := New(TTY, s, Options{Size: s.size})
		v.Emit(event.Started{Addr: "host.ec2.a", Verb: event.Apply})
		v.Emit(event.Started{Addr: "cluster.kind.c", Verb: event.Apply})
		sleep(time.Second)
		release := v.Hold()
		fmt.Fprint(s, "Go on? [y/N] ")
		before := s.writes
		v.Emit(event.Notice{Text: "meanwhile"})
		sleep(10 * time.Second)
		if got := s.text(); got != "Go on? [y/N]" || s.writes != before || !s.cursor {
			t.Errorf("at the question, after %d more writes, cursor %v, the screen shows\n%s", s.writes-before, s.cursor, got)
		}
		fmt.Fprint(s, "y\r\n")
		release()
		sleep(time.Second)
		if got := anySpinner(s.text()); !strings.HasPrefix(got, "Go on? [y/N] y\n· meanwhile\n* host.ec2.a") {
			t.Errorf("after it the screen shows\n%s", got)
		}
		v.Close()
		v.Hold()() // after the end it holds nothing up
		if len(s.problems) > 0 || !s.cursor {
			t.Errorf("cursor %v, %q", s.cursor, s.problems)
		}
	})
}

// A view that is closed at a question, which Ctrl-C ends, does not wait for it.
func TestClosedAtAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80, 24)
		for _, mode := range []Mode{TTY, NDJSON} {
			v := New(mode, s, Options{Size: s.size})
			release := v.Hold()
			v.Close()
			release()
		}
	})
}

func TestPlainLinesWaitForTheAnswer(t *testing.T) {
	s := newScreen(80, 24)
	v := New(Plain, s, Options{})
	defer v.Close()
	release := v.Hold()
	if p := v.(*plain); p.mu.TryLock() {
		t.Error("at the question it may write")
		return
	}
	release()
	v.Emit(event.Notice{Text: "afterwards"})
	if got := s.text(); !strings.Contains(got, "afterwards") {
		t.Errorf("after it: %q", got)
	}
}

package view

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// The tests run in synctest's bubbles: time.Now and the view's ticker stand still but for Sleep.

func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestTTYShowsRowsInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80, 24)
		v := New(TTY, s, Options{Size: s.size})
		defer v.Close()
		shows := func(when, want string) {
			t.Helper()
			sleep(time.Millisecond) // past the tick
			if got := anySpinner(s.text()); got != strings.TrimSpace(want) {
				t.Errorf("%s, the screen shows\n%s\nwant\n%s", when, got, strings.TrimSpace(want))
			}
		}
		v.Emit(event.Started{Addr: "host.local", Verb: event.Observe})
		v.Emit(event.Finished{Addr: "host.local", Verb: event.Observe, Result: event.Unchanged})
		v.Emit(event.Started{Addr: "cluster.kind.c", Verb: event.Apply, Expect: 25 * time.Second})
		v.Emit(event.Started{Addr: "mirror.registry", Verb: event.Apply})
		v.Emit(event.Notice{Text: "using day10.hcl of this folder"})
		sleep(2 * time.Second)
		v.Emit(event.Progress{Addr: "cluster.kind.c", Step: "kubeadm init", Expect: 10 * time.Second})
		sleep(10 * time.Second)
		shows("after 12 s", `
· using day10.hcl of this folder
* cluster.kind.c   12s of ~25s  kubeadm init (10s of ~10s)
* mirror.registry  12s  setting up`)

		v.Emit(event.Milestone{Addr: "cluster.kind.c", Name: "api"})
		v.Emit(event.Progress{Addr: "cluster.kind.c", Step: "joining\nworkers"})
		v.Emit(event.Finished{Addr: "mirror.registry", Verb: event.Apply, Result: event.Unchanged, Detail: "2 images", Elapsed: 12 * time.Second})
		v.Emit(event.Notice{Addr: "mirror.registry", Text: "nginx:1.25 is a substitute image\nand says so\n", Warning: true})
		sleep(time.Second)
		shows("when one has ended", `
· using day10.hcl of this folder
✓ mirror.registry  unchanged: 2 images  12s
! mirror.registry: nginx:1.25 is a substitute image
  and says so
* cluster.kind.c   13s of ~25s  joining workers  [api]`)

		v.Emit(event.Finished{Addr: "cluster.kind.c", Verb: event.Apply, Result: event.Failed, Error: "no space", Elapsed: 13 * time.Second})
		v.Emit(event.Finished{Addr: "scenario.x", Verb: event.Apply, Result: event.Skipped, Error: "cluster.kind.c failed"})
		v.Emit(event.Started{Addr: "scenario.imagepull", Verb: event.Destroy})
		sleep(time.Second)
		s.mu.Lock()
		if s.cursor {
			t.Error("the cursor is visible in the middle of it")
		}
		s.mu.Unlock()
		v.Emit(event.Notice{Text: "the last word"})
		v.Close()
		v.Close()
		v.Emit(event.Notice{Text: "too late"})
		shows("at the end", `
· using day10.hcl of this folder
✓ mirror.registry  unchanged: 2 images  12s
! mirror.registry: nginx:1.25 is a substitute image
  and says so
✗ cluster.kind.c   failed: no space  13s
- scenario.x       skipped: cluster.kind.c failed
· the last word
- scenario.imagepull  1s  not finished: removing`)
		s.wellLeft(t)
	})
}

func TestTTYOnNarrowAndLowTerminals(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 2}, {10, 3}, {39, 4}, {20, 24}, {0, 0}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScreen(size[0], size[1])
				if size[0] == 0 { // a terminal that does not say
					s.width, s.height = 80, 24
				}
				v := New(TTY, s, Options{Size: func() (int, int) { return size[0], size[1] }, NoColor: true})
				for i := range 6 {
					v.Emit(event.Started{Addr: fmt.Sprintf("scenario.%d", i), Verb: event.Apply, Expect: time.Minute})
				}
				sleep(950 * time.Millisecond)
				shown := anySpinner(s.text())
				if want := "* scenario.0  0s of ~1m00s  setting up"; size[1] > 1 && size[0] > 2 {
					if first, _, _ := strings.Cut(shown, "\n"); first != text.Shorten(want, size[0]-1) {
						t.Errorf("the first row is %q", first)
					}
				}
				if size == [2]int{39, 4} && !strings.HasSuffix(shown, "\n  … and 4 more") {
					t.Errorf("the screen does not say that there is more:\n%s", shown)
				}
				v.Close()
				if got := strings.Count(untrusted.Line(s.text()), "not finished"); size[0] >= 39 && got != 6 {
					t.Errorf("%d rows are left as not finished; want 6:\n%s", got, s.text())
				}
				s.wellLeft(t)
				if s.colours > 0 {
					t.Error("there are colours although NO_COLOR is set")
				}
			})
		})
	}
}

// Whatever happens in whatever order, on a terminal that is resized meanwhile: each line that is to
// stay is there once and in order, nothing else is, and the terminal is as it was.
func TestTTYKeepsEveryLine(t *testing.T) {
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			s := newScreen(120, 10)
			v := New(TTY, s, Options{Size: s.size})
			var want []string
			began := time.Now()
			for i := range 200 {
				addr := fmt.Sprintf("r.%d", rnd.IntN(12))
				switch rnd.IntN(6) {
				case 0, 1:
					v.Emit(event.Started{Addr: addr, Verb: event.Apply, Expect: time.Duration(rnd.IntN(3)) * time.Second})
				case 2:
					v.Emit(event.Progress{Addr: addr, Step: strings.Repeat("long step ", rnd.IntN(20))})
				case 3:
					v.Emit(event.Milestone{Addr: addr, Name: "api"})
				case 4:
					v.Emit(event.Finished{Addr: addr, Verb: event.Apply, Result: event.Done, Detail: fmt.Sprintf("<%d>", i)})
					want = append(want, fmt.Sprintf("<%d>", i))
				case 5:
					// One that fills the terminal's width exactly, or wraps.
					text := fmt.Sprintf("<%d>", i)
					text += strings.Repeat("x", max(0, s.width*(1+rnd.IntN(2))-2-len(text)-rnd.IntN(2)))
					v.Emit(event.Notice{Text: text})
					want = append(want, text)
				}
				if rnd.IntN(3) == 0 {
					sleep(time.Duration(rnd.IntN(300)) * time.Millisecond) // no redraw is under way after it
				}
				if rnd.IntN(20) == 0 {
					s.mu.Lock()
					s.width = 20 + rnd.IntN(120)
					s.mu.Unlock()
				}
			}
			v.Emit(event.Notice{Text: "<end>"})
			v.Close()
			s.wellLeft(t)
			// At most one write in a tenth of a second, and the one of Close.
			if most := int(time.Since(began)/frameTime) + 1; s.writes > most {
				t.Errorf("%d writes in %v", s.writes, time.Since(began))
			}
			text := strings.ReplaceAll(s.text(), "\n", "")
			for _, line := range want {
				i := strings.Index(text, line)
				if i < 0 {
					t.Fatalf("seed %d: %q is not on the screen, or not after the line before it:\n%s", seed, line, s.text())
				}
				text = text[i+len(line):]
			}
			_, after, _ := strings.Cut(s.text(), "<end>")
			for _, line := range strings.Split(strings.TrimSpace(after), "\n") {
				if line != "" && !strings.HasPrefix(line, "- r.") && !strings.HasPrefix(line, "    ") { // or a row's wrapped rest
					t.Errorf("seed %d: left on the screen: %q", seed, line)
				}
			}
			if strings.ContainsAny(s.text(), strings.Join(spinner, "")) {
				t.Errorf("seed %d: a row that should have been drawn over is left:\n%s", seed, s.text())
			}
		})
	}
}

func TestTTYWritesNothingForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80, 24)
		v := New(TTY, s, Options{Size: s.size})
		sleep(time.Minute)
		v.Close()
		if s.writes != 0 {
			t.Errorf("%d writes", s.writes)
		}
	})
}

// stuck is a terminal that was stopped with Ctrl-S.
type stuck struct{ release chan struct{} }

func (s stuck) Write(b []byte) (int, error) { <-s.release; return len(b), nil }

func TestTTYThatIsStoppedStopsNoWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := stuck{make(chan struct{})}
		v := New(TTY, w, Options{})
		for i := range 100 {
			v.Emit(event.Notice{Text: fmt.Sprint(i)}) // would be a deadlock that synctest reports
			sleep(frameTime)
		}
		close(w.release)
		v.Close()
	})
}

func TestBrokenOutputIsLeftAlone(t *testing.T) {
	for _, mode := range []Mode{TTY, Plain, NDJSON} {
		synctest.Test(t, func(t *testing.T) {
			f := &failing{}
			v := New(mode, f, Options{})
			for range 5 {
				v.Emit(event.Started{Addr: "a", Verb: event.Apply})
				sleep(15 * time.Second)
			}
			v.Close()
			if f.writes != 1 {
				t.Errorf("%s: %d writes; want none after the one that failed", mode, f.writes)
			}
		})
	}
}

// wellLeft checks that the terminal is as it was before.
func (s *screen) wellLeft(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.problems) > 0 {
		t.Errorf("the terminal was told %d wrong things, first %s", len(s.problems), s.problems[0])
	}
	if !s.cursor || !s.wraps || s.col != 0 {
		t.Errorf("left with the cursor visible: %t, wrapping: %t, in column %d", s.cursor, s.wraps, s.col)
	}
}

// anySpinner makes one of all the spinner's pictures.
func anySpinner(text string) string {
	for _, s := range spinner {
		text = strings.ReplaceAll(text, s, "*")
	}
	return text
}

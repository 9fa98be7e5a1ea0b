package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/untrusted"
)

func TestOutputWithoutEndEndsTheCommand(t *testing.T) {
	for _, stream := range []string{"", " >&2"} {
		out := untrusted.NewBuffer(1<<20, "the output of x")
		began := time.Now()
		err := Local{}.Run(t.Context(), Command{Argv: []string{"sh", "-c", "trap '' PIPE; while :; do head -c 1000000 /dev/zero" + stream + "; done; true"}, Stdout: out, Stderr: out})
		if clierr.ClassOf(err) != clierr.Inconclusive || !strings.Contains(err.Error(), "the output of x is longer than 1 MiB") || len(out.Bytes()) > 1<<20 {
			t.Errorf("%v after %d bytes", err, len(out.Bytes()))
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	}
}

// docker may be a script: what it has started is ended with it.
func TestCommandIsEndedWithItsGroup(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	boom := errors.New("boom")
	started := untrusted.Lines(100, func(string) { cancel(boom) })
	err := Local{}.Run(ctx, Command{Argv: []string{"sh", "-c", "sleep 60 & echo $! > " + pidFile + "; echo started; wait"}, Stdout: started})
	if !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(pid, 0) != nil || gone(pid) {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("what the command has started lives on")
		}
	}
}

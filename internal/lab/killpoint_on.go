//go:build killpoints

package lab

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/labctl/labctl/internal/kube"
)

// killRequest returns what kills this process, as `kill -9` does, before it makes the change number
// LABCTL_KILL_REQUEST through the API: a lab's journal has the acts on the engine, and what is done
// through the API is on record in the cluster itself.
func (m *Machine) killRequest() func(*http.Request) {
	at, err := strconv.ParseInt(m.Getenv("LABCTL_KILL_REQUEST"), 10, 64)
	if err != nil {
		return nil
	}
	var made atomic.Int64
	return func(r *http.Request) {
		if !kube.Changes(r) || made.Add(1) != at {
			return
		}
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
}

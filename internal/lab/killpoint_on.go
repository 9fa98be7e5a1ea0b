//go:build killpoints

package lab

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"
)

// killRequest returns what kills this process, as `kill -9` does, before it makes the change number
// LABCTL_KILL_REQUEST through the API: a lab's journal has the acts on the engine, and what is done
// through the API is on record in the cluster itself.
func (m *Machine) killRequest() func(method, path string) {
	at, err := strconv.ParseInt(m.Getenv("LABCTL_KILL_REQUEST"), 10, 64)
	if err != nil {
		return nil
	}
	var made atomic.Int64
	return func(method, _ string) {
		if method == http.MethodGet || method == http.MethodHead || made.Add(1) != at {
			return
		}
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
}

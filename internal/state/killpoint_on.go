//go:build killpoints

package state

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// killPoint returns what kills this process, as `kill -9` does, once record LABCTL_KILL_AT of a journal
// is on disk, and before it the process LABCTL_KILL_PID where that is set. The environment is read
// here, which nothing else below cmd does, so that the instruction reaches every process of a lab
// without a parameter that only tests use.
func killPoint() (func(n int), error) {
	at, err := number("LABCTL_KILL_AT")
	if err != nil || at == 0 {
		return func(int) {}, err
	}
	also, err := number("LABCTL_KILL_PID")
	if err != nil {
		return nil, err
	}
	return func(n int) {
		if n != at {
			return
		}
		if also != 0 && also != os.Getpid() {
			_ = syscall.Kill(also, syscall.SIGKILL)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}, nil
}

func number(name string) (int, error) {
	s := os.Getenv(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s=%q is not a positive number", name, s)
	}
	return n, nil
}

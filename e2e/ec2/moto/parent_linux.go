package moto

import (
	"os/exec"
	"syscall"
)

// DieWithParent keeps a process from outliving tests that were killed.
func DieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

package moto

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps a server from outliving tests that were killed.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

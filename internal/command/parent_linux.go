package command

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent makes the kernel kill cmd when this process dies: a docker command that goes on by
// itself would make or remove things behind the back of the next labctl. The kernel goes by the thread
// that starts cmd (prctl(2), PR_SET_PDEATHSIG), so the caller's goroutine keeps its thread until the
// returned function is called, after cmd has ended.
func dieWithParent(cmd *exec.Cmd) (release func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return runtime.UnlockOSThread
}

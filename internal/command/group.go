package command

import (
	"context"
	"io"
	"os/exec"
	"syscall"
)

// ownGroup puts cmd into a process group of its own and has the whole group killed when cmd's context ends:
// docker may be a script, and starts helpers of its own, which would go on by themselves. On a terminal
// Ctrl-C then reaches labctl alone, which ends the context.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// endsCommand is a command's output; when it cannot be written any more the command is ended, rather than
// left to write to nobody.
type endsCommand struct {
	to  io.Writer
	end context.CancelCauseFunc
}

func (w endsCommand) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if err != nil {
		w.end(err)
	}
	return n, err
}

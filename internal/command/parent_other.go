//go:build !linux

package command

import "os/exec"

// dieWithParent does nothing where the kernel offers nothing: a command whose labctl was killed
// runs to its end there, and the next labctl waits for what it may still do (AwaitInterruptedOps).
func dieWithParent(*exec.Cmd) (release func()) { return func() {} }

//go:build !linux

package moto

import "os/exec"

// DieWithParent does nothing here: only Linux can.
func DieWithParent(*exec.Cmd) {}

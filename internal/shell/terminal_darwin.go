package shell

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// OpenTerminal makes a terminal: what is written to one side is typed on the other.
func OpenTerminal() (master, terminal *os.File, err error) {
	if master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		return nil, nil, fmt.Errorf("making a terminal: %w", err)
	}
	var name [128]byte
	for _, request := range []uintptr{syscall.TIOCPTYGRANT, syscall.TIOCPTYUNLK, syscall.TIOCPTYGNAME} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(&name[0]))); errno != 0 {
			master.Close()
			return nil, nil, fmt.Errorf("making a terminal: %w", errno)
		}
	}
	path, _, _ := bytes.Cut(name[:], []byte{0})
	if terminal, err = os.OpenFile(string(path), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("making a terminal: %w", err)
	}
	return master, terminal, nil
}

// Command labctl provisions lab environments declared in HCL.
package main

import (
	"os"

	"k8s.io/klog/v2"

	"github.com/labctl/labctl/internal/cli"
)

// version is set by the linker.
var version = "devel"

func main() {
	// client-go logs to stderr by itself, in the midst of labctl's progress and with what a server has sent as
	// it is. What matters of it comes back as an error.
	klog.SetLogger(klog.Logger{})
	os.Exit(cli.Main(cli.Process{
		Args:    os.Args,
		Environ: os.Environ(),
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		Version: version,
	}))
}

// Command labctl provisions lab environments declared in HCL.
package main

import (
	"os"

	"github.com/labctl/labctl/internal/cli"
)

// version is set by the linker.
var version = "devel"

func main() {
	os.Exit(cli.Main(cli.Process{
		Args:    os.Args,
		Environ: os.Environ(),
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		Version: version,
	}))
}

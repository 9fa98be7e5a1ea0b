//go:build e2e

// Package hostile runs every command of labctl against far sides that say anything: a Docker engine, a
// Kubernetes API server, a host behind SSH and the files on a node that hang, lie, break off, flood and send what a terminal obeys.
// Whatever they say, a command ends in time with the right exit code, runs and writes nothing that came from
// there, prints no control code, and stays small.
//
// It needs neither an engine nor a cluster. The far sides are doubles (docker/, api_test.go, sshd_test.go); the
// labctl is the real one, with shorter patience (build_test.go).
//
//	go test -tags e2e ./e2e/hostile                     everything, in two and a half minutes on two cores
//	go test -tags e2e ./e2e/hostile -run 'TestSweep/local/endless.*/check'
package hostile

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// built is where the programs are.
var built string

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "labctl-hostile-")
		if err == nil {
			defer os.RemoveAll(dir)
			err = build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "hostile: NOT RUN:", err)
			return 1
		}
		built = dir
		return m.Run()
	}())
}

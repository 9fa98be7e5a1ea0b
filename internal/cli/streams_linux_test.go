package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestResultThatCannotBeWritten(t *testing.T) {
	for _, output := range []string{"text", "json"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		cmd := program(t, "", "version", "-o", output)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &said
		err = cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Count(said.String(), "writing the result: ") != 1 {
			t.Errorf("%s: %v, said %q", output, err, said.String())
		}
	}
}

package command

import (
	"strings"
	"testing"
)

func TestErrorsShowNoPassword(t *testing.T) {
	err := &ExitError{Argv: []string{"docker", "run", "-e", "HTTP_PROXY=http://ann:geheim@proxy"}, Code: 1, Stderr: "proxyconnect to http://ann:geheim@proxy: no"}
	if text := err.Error(); strings.Contains(text, "geheim") || !strings.Contains(text, "@proxy") {
		t.Error(text)
	}
}

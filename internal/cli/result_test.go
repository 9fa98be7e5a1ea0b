package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestBriefEvidence(t *testing.T) {
	got := brief([]string{"short", strings.Repeat("é", 500)})
	if got[0] != "short" || utf8.RuneCountInString(got[1]) != 200 || !strings.HasSuffix(got[1], "é…") {
		t.Errorf("%q", got)
	}
}

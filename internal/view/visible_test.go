package view

import "testing"

func TestNothingIsHidden(t *testing.T) {
	for text, want := range map[string]string{
		"kubectl get pods":           "kubectl get pods",
		"rm -rf ~ #\x1b[2K\rkubectl": `rm -rf ~ #\x1b[2K\x0dkubectl`,
		"a\nb\tc":                    "a\nb\\tc",
		"\u202eevil\u200b\ufeff":     `\u202eevil\u200b\ufeff`,
		"\u009b2J\x07\xff":           `\x9b2J\x07\xff`,
		"\U000e0041":                 `\U000e0041`,
		"über, 日本":                   "über, 日本",
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

package clierr

import "testing"

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"-e HTTP_PROXY=http://ann:geheim@proxy:3128 x":  "-e HTTP_PROXY=http://***@proxy:3128 x",
		`Get "https://ann:p%40ss@reg/v2/": no`:          `Get "https://***@reg/v2/": no`,
		"http://ann:a@b@proxy":                          "http://***@proxy",
		"socks5://token@proxy:1080, http://u:p@q":       "socks5://***@proxy:1080, http://***@q",
		"https://reg/v2/nginx@sha256:12 and ann@host:1": "https://reg/v2/nginx@sha256:12 and ann@host:1",
		"https://reg?mail=a@b":                          "https://reg?mail=a@b",
	} {
		if got := Redact(in); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

package cli

import (
	"testing"
	"time"

	"github.com/labctl/labctl/internal/clierr"
)

func TestExtension(t *testing.T) {
	for text, want := range map[string]time.Duration{"2h": 2 * time.Hour, "90m": 90 * time.Minute, "72h": 72 * time.Hour, "1m": time.Minute} {
		if got, err := extension(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "-1h", "0s", "73h", "soon", "30s"} {
		if _, err := extension(text); clierr.ClassOf(err) != clierr.Usage || clierr.NextOf(err) == "" {
			t.Errorf("%s: %v; want a usage error", text, err)
		}
	}
}

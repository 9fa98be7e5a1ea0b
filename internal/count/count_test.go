package count

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 nodes run", 1: "1 node runs", 3: "3 nodes run"} {
		if got := Do(n, "node", "runs", "run"); got != want {
			t.Errorf("%d: %q; want %q", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0 nodes", 1: "1 node", 2: "2 nodes"} {
		if got := Of(n, "node"); got != want {
			t.Errorf("%d: %q; want %q", n, got, want)
		}
	}
}

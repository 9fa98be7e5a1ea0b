package sample

import "testing"

// Each point is in one of the samples, and no sample is empty.
func TestSamplesCoverAll(t *testing.T) {
	t.Setenv("LABCTL_SOAK", "")
	if Whole() {
		t.Skip("the whole is run")
	}
	old := start
	defer func() { start = old }()
	for every := 1; every <= 5; every++ {
		seen := map[int]int{}
		for commit := range uint32(every) {
			start = func() uint32 { return commit }
			took := 0
			for n := range 20 {
				if Takes(n, every) {
					seen[n]++
					took++
				}
			}
			if took != 20/every && took != 20/every+1 {
				t.Errorf("1 of %d: %d of 20", every, took)
			}
		}
		for n := range 20 {
			if seen[n] != 1 {
				t.Errorf("1 of %d: point %d is in %d samples", every, n, seen[n])
			}
		}
	}
}

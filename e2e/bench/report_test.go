package main

import (
	"slices"
	"testing"
)

func TestQuantilesAreInterpolated(t *testing.T) {
	f := summarize("x", "s", []float64{4, 1, 3, 2}, 2.4)
	if f.Median != 2.5 || f.Low != 1.75 || f.High != 3.25 || f.Count != 4 {
		t.Errorf("got median %v, quartiles %v and %v of %d", f.Median, f.Low, f.High, f.Count)
	}
	if *f.Met {
		t.Error("a median of 2.5 meets a bound of 2.4")
	}
	if none := summarize("x", "s", nil, 1); *none.Met {
		t.Error("a bound is met without a measurement")
	}
}

func TestRatiosArePairedByRound(t *testing.T) {
	if got := paired([]float64{2, 9}, []float64{1, 3}); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("got %v", got)
	}
}

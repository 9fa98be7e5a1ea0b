package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func TestACountHasToKeepItsBoundEachTime(t *testing.T) {
	if f := counted("x", []float64{1, 1, 1, 2}, 1); *f.Met {
		t.Error("2 is at most 1, because the median is")
	}
	if f := counted("x", []float64{0, 0}, 0); !*f.Met || f.Bound != "<= 0 each" {
		t.Errorf("0 is not at most 0: bound %q", f.Bound)
	}
	if none := counted("x", nil, 1); *none.Met {
		t.Error("a bound is met without a measurement")
	}
}

// What could not be measured stands in the report, and has no figures there.
func TestTheReportSaysWhatIsNotMeasured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	var text strings.Builder
	b := &bench{samples: map[string][]float64{"up": {1}}, unmeasured: []string{"over SSH: no server"}}
	if err := b.report(&text, path); err != nil {
		t.Fatal(err)
	}
	if s := text.String(); !strings.Contains(s, "NOT MEASURED: over SSH: no server") || strings.Contains(s, "up over SSH") {
		t.Errorf("the report says\n%s", s)
	}
	if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"over SSH: no server"`) {
		t.Errorf("the JSON says %s: %v", raw, err)
	}
}

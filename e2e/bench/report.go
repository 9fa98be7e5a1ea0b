package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// figure is one line of the result.
type figure struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	Median float64 `json:"median"`
	Low    float64 `json:"q1"`
	High   float64 `json:"q3"`
	Count  int     `json:"n"`
	Bound  string  `json:"bound,omitempty"`
	Met    *bool   `json:"met,omitempty"`
}

// quantile returns the q-quantile of sorted values, interpolated between neighbours.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

func summarize(name, unit string, values []float64, bound float64) figure {
	sorted := slices.Sorted(slices.Values(values))
	f := figure{Name: name, Unit: unit, Median: quantile(sorted, 0.5), Low: quantile(sorted, 0.25), High: quantile(sorted, 0.75), Count: len(values)}
	if bound > 0 {
		met := len(values) > 0 && f.Median <= bound
		f.Bound, f.Met = fmt.Sprintf("<= %g", bound), &met
	}
	return f
}

// paired divides the values of two series round by round.
func paired(a, b []float64) []float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return ratios
}

// differences subtracts the values of two series round by round.
func differences(a, b []float64) []float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		all = append(all, a[i]-b[i])
	}
	return all
}

// counted is a figure whose bound holds for every value, not for the median alone.
func counted(name string, values []float64, most float64) figure {
	f := summarize(name, "count", values, 0)
	met := len(values) > 0 && slices.Max(values) <= most
	f.Bound, f.Met = fmt.Sprintf("<= %g each", most), &met
	return f
}

// localFigures are the lines of what was measured on this machine's own engine.
func (b *bench) localFigures() []figure {
	s := b.samples
	return []figure{
		summarize("up / by hand", "ratio", paired(s["up"], s["by hand"]), 0.97),
		summarize("up / create and wait", "ratio", paired(s["up"], s["create and wait"]), 1.05),
		summarize("down / kind delete", "ratio", paired(s["down"], s["kind delete"]), 1.2),
		summarize("up", "s", s["up"], 0),
		summarize("by hand", "s", s["by hand"], 0),
		summarize("kind create and wait", "s", s["create and wait"], 0),
		summarize("second up", "s", s["second up"], 1),
		summarize("down", "s", s["down"], 0),
		summarize("kind delete", "s", s["kind delete"], 0),
		summarize("verdict lag", "s", s["verdict lag"], 0.5),
		summarize("up: CPU of labctl and its children", "s", s["up CPU"], 0),
		summarize("up: peak memory of labctl and its children", "MB", s["up peak MB"], 150),
		summarize("labctl version", "s", s["version"], 0.05),
		summarize("binary", "MB", s["binary MB"], 100),
	}
}

// report prints the table and writes the JSON.
func (b *bench) report(w io.Writer, path string) error {
	var figures []figure
	if b.only != onlySSH {
		figures = b.localFigures()
	}
	if b.only != onlyLocal && len(b.unmeasured) == 0 {
		figures = append(figures, b.overSSHFigures()...)
	}
	table := tabwriter.NewWriter(w, 2, 8, 2, ' ', 0)
	fmt.Fprintln(table, "MEASURED\tMEDIAN\tQUARTILES\tUNIT\tN\tBOUND\t")
	for _, f := range figures {
		verdict := ""
		if f.Met != nil {
			verdict = f.Bound + " met"
			if !*f.Met {
				verdict = f.Bound + " NOT MET"
			}
		}
		fmt.Fprintf(table, "%s\t%.3f\t%.3f - %.3f\t%s\t%d\t%s\t\n", f.Name, f.Median, f.Low, f.High, f.Unit, f.Count, verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nMeasured %s on %d CPUs; ratios are of the same round.\n", b.started.Format("2006-01-02"), runtime.NumCPU())
	for _, why := range b.unmeasured {
		fmt.Fprintln(w, "NOT MEASURED:", why)
	}
	return writeJSON(path, map[string]any{
		"date": b.started.Format(time.DateOnly), "cpus": runtime.NumCPU(), "figures": figures, "samples": b.samples, "not_measured": b.unmeasured,
	})
}

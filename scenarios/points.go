package scenarios

import "slices"

// Points are the findings that matter to whoever asked, in the order in which to think of them: what
// has to hold, and of the guards those that fail once something was done about the symptom. Before
// that, a guard's words would only give away what not to do.
func (r Result) Points() []Finding {
	var points []Finding
	shows := all(slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Role != "symptom" })...) == Holds
	var empty []Finding // guards of what is not there: said only where nothing else says it
	failing := false
	for _, f := range r.Findings {
		switch {
		case r.Question == "solved" && f.Role == "condition", r.Question == "shown" && f.Role == "symptom":
			points = append(points, f)
			failing = failing || f.Verdict != Holds
		case r.Question != "solved" || f.Role != "guard" || f.Verdict == Holds || shows:
		case len(f.Objects) == 0:
			empty = append(empty, f)
		default:
			points = append(points, f)
			failing = true
		}
	}
	if failing {
		return points
	}
	return append(points, empty...)
}

// Evidence is what an answer rests on. Of a no, and of what cannot be told, it is why, on which values:
// one line for each object on which something fails. Of a yes it is the values of what holds.
func (r Result) Evidence() []string {
	var lines []string
	seen := map[string]bool{}
	add := func(line string) {
		if line != "" && !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	for _, f := range r.Findings {
		if r.Verdict == Holds && f.Verdict == Holds {
			for _, o := range f.Objects {
				for _, v := range o.Values {
					add(o.Ref + ": " + v.String())
				}
			}
		}
		if r.Verdict != Holds && f.Verdict != Holds {
			for _, line := range f.Evidence() {
				add(line)
			}
		}
	}
	return lines
}

// Evidence says why a condition does not hold, object by object.
func (f Finding) Evidence() []string {
	var lines []string
	for _, o := range f.Objects {
		if o.Verdict != Holds {
			lines = append(lines, o.Reason)
		}
	}
	if len(lines) == 0 && f.Reason != "" {
		lines = append(lines, f.Reason)
	}
	return lines
}

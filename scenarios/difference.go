package scenarios

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// maxDifferences is how many fields of one object Differences names.
const maxDifferences = 4

// Differences says in words how a later snapshot differs from an earlier one: which objects are missing, which are left
// over, and which fields of the others are not the same. It is empty where nothing differs.
func Differences(before, after []string) []string {
	was, is := byObject(before), byObject(after)
	var all []string
	for _, object := range slices.Sorted(maps.Keys(was)) {
		now, there := is[object]
		switch {
		case !there:
			all = append(all, object+" is missing")
		case now != was[object]:
			var x, y any
			_ = json.Unmarshal([]byte(was[object]), &x)
			_ = json.Unmarshal([]byte(now), &y)
			fields := fieldsThatDiffer("", x, y)
			if len(fields) > maxDifferences {
				fields = append(fields[:maxDifferences], "…")
			}
			all = append(all, object+": "+strings.Join(fields, "; "))
		}
	}
	for _, object := range slices.Sorted(maps.Keys(is)) {
		if _, there := was[object]; !there {
			all = append(all, object+" is left over")
		}
	}
	return all
}

// byObject returns the JSON of each line of a snapshot by the object's name.
func byObject(lines []string) map[string]string {
	all := map[string]string{}
	for _, line := range lines {
		name, text, _ := strings.Cut(line, " {")
		namespace, name, _ := strings.Cut(name, " ")
		if namespace != "" {
			name += " in " + namespace
		}
		// Several may have the same, as pods with generated names: then what they are together is compared.
		all[name] += "{" + text
	}
	return all
}

func fieldsThatDiffer(path string, before, after any) []string {
	x, xok := before.(map[string]any)
	y, yok := after.(map[string]any)
	if !xok || !yok {
		if reflect.DeepEqual(before, after) {
			return nil
		}
		return []string{fmt.Sprintf("%s is %s, was %s", strings.TrimPrefix(path, "."), inJSON(after), inJSON(before))}
	}
	keys := slices.Collect(maps.Keys(x))
	for key := range y {
		if _, both := x[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var all []string
	for _, key := range keys {
		all = append(all, fieldsThatDiffer(path+"."+key, x[key], y[key])...)
	}
	return all
}

func inJSON(v any) string {
	if v == nil {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

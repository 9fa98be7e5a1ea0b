package state

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestDocsHaveEveryField(t *testing.T) {
	text, err := os.ReadFile("../../docs/state.md")
	if err != nil {
		t.Fatal(err)
	}
	for section, types := range map[string][]any{
		"state.json":     {State{}, ClusterState{}},
		"journal.ndjson": {Record{}},
		"lock":           {Holder{}},
	} {
		_, body, found := strings.Cut(string(text), "\n## "+section+"\n")
		body, _, _ = strings.Cut(body, "\n## ")
		if !found {
			t.Errorf("state.md has no section %s", section)
		}
		for _, v := range types {
			for i, typ := 0, reflect.TypeOf(v); i < typ.NumField(); i++ {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				if name == "" || !strings.Contains(body, "`"+name+"`") {
					t.Errorf("state.md does not say what %s of %s is (%s)", name, section, typ.Field(i).Name)
				}
			}
		}
	}
}

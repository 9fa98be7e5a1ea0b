package labfile

import (
	"reflect"
	"testing"
)

func TestBriefing(t *testing.T) {
	want := Briefing{
		Situation: "The pod web does not start.", Goal: "The pod web runs, and not with nginx:99999.",
		Rules: []string{"Keep the pod.", "Keep its name."}, Topic: "pods", Difficulty: "easy", Minutes: 10,
		After: []string{"first", "second"}, Disrupts: []string{"node", "api", "dns"},
	}
	if got := stubDefinition(t).Briefing; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

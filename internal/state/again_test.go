package state

import "testing"

func TestUpCommand(t *testing.T) {
	for want, s := range map[string]State{
		"labctl up FILE": {},
		"labctl up embedded:labs/day10.hcl --local --name e2e": {File: "embedded:labs/day10.hcl", Local: true, Name: "e2e"},
		`labctl up '/home/jane/my labs/it'\''s.hcl'`:           {File: "/home/jane/my labs/it's.hcl"},
	} {
		if got := s.UpCommand(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

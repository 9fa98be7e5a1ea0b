package ec2

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestPolicyAllowsTheCalls: the policy has what this package can call, and nothing else. (That each of
// them is called, and is needed, e2e/ec2/account proves.)
func TestPolicyAllowsTheCalls(t *testing.T) {
	want := []string{"sts:GetCallerIdentity"}
	for i, all := 0, reflect.TypeFor[calls](); i < all.NumField(); i++ {
		want = append(want, "ec2:"+all.Field(i).Name)
	}
	var policy struct {
		Statement []struct {
			Effect    string
			Action    any
			Condition map[string]any
		}
	}
	if err := json.Unmarshal([]byte(Policy()), &policy); err != nil {
		t.Fatal(err)
	}
	var allowed []string
	for _, s := range policy.Statement {
		actions, many := s.Action.([]any)
		if !many {
			actions = []any{s.Action}
		}
		for _, a := range actions {
			action := a.(string)
			allowed = append(allowed, action)
			_, name, _ := strings.Cut(action, ":")
			// What changes or removes something may do so only to what carries labctl's tag; what makes
			// something cannot be bound to a tag that is not there yet.
			makes := name == "CreateSecurityGroup" || name == "RunInstances"
			if mutating(name) && !makes && len(s.Condition) == 0 {
				t.Errorf("%s is allowed for everything in the account", action)
			}
			if strings.Contains(action, "*") || s.Effect != "Allow" {
				t.Errorf("%s %s", s.Effect, action)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(allowed)
	if allowed = slices.Compact(allowed); !slices.Equal(allowed, want) {
		t.Errorf("the policy allows\n  %s\nand the package calls\n  %s", strings.Join(allowed, "\n  "), strings.Join(want, "\n  "))
	}
}

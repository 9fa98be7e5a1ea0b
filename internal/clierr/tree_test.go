package clierr

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-multierror"
)

func TestLeaves(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	for name, row := range map[string]struct {
		err  error
		want string
	}{
		"one":                          {a, "a"},
		"wrapped":                      {fmt.Errorf("doing: %w", a), "doing: a"},
		"joined":                       {errors.Join(a, b), "a|b"},
		"collected":                    {multierror.Append(nil, a, b), "a|b"},
		"joined in collected":          {multierror.Append(nil, a, errors.Join(b, c)), "a|b|c"},
		"two causes of one error":      {fmt.Errorf("%w: %w", a, b), "a: b"},
		"a wrapped one keeps its lead": {multierror.Append(nil, fmt.Errorf("mirror: %w", a), fmt.Errorf("cluster: %w", b)), "mirror: a|cluster: b"},
		// What was collected in one part of a lab and wrapped with its address.
		"collected, then wrapped": {fmt.Errorf("cluster.kind.x: %w", multierror.Append(nil, a, b)), "cluster.kind.x: a|cluster.kind.x: b"},
		"joined, then wrapped":    {fmt.Errorf("cluster.kind.x: %w", errors.Join(a, b)), "cluster.kind.x: a|cluster.kind.x: b"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range Leaves(row.err) {
				got = append(got, e.Error())
			}
			if strings.Join(got, "|") != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestSilent(t *testing.T) {
	said := Silent(NotHolding)
	if !IsSilent(said) || !IsSilent(fmt.Errorf("doing: %w", said)) || ClassOf(said) != NotHolding {
		t.Errorf("%v is said again, or of class %s", said, ClassOf(said))
	}
	if IsSilent(New(NotHolding, "x")) || IsSilent(nil) {
		t.Error("what nobody has said is silent")
	}
}

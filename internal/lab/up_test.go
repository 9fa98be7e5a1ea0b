package lab

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
)

// A refusal says that nothing was touched.
func TestARefusalAfterAnActIsAFailure(t *testing.T) {
	refused := clierr.New(clierr.Refused, "pod/web is somebody else's").WithNext("Rename it.")
	for name, c := range map[string]struct {
		err  error
		want clierr.Class // the first; -1: no error
	}{
		"alone":   {fmt.Errorf("scenario.web: %w", refused), clierr.Failed},
		"several": {errors.Join(refused, clierr.New(clierr.Inconclusive, "no answer")), clierr.Failed},
		"none":    {clierr.New(clierr.Inconclusive, "no answer"), clierr.Inconclusive},
		"nothing": {nil, -1},
	} {
		err := afterActs(c.err)
		if (err == nil) != (c.want == -1) || err != nil && clierr.ClassOf(clierr.Leaves(err)[0]) != c.want {
			t.Errorf("%s: %v, want class %s", name, err, c.want)
		}
		for _, e := range clierr.Leaves(err) {
			if e != nil && clierr.ClassOf(e) == clierr.Refused {
				t.Errorf("%s: %v is still a refusal", name, e)
			}
		}
		if c.want == clierr.Failed && (clierr.NextOf(clierr.Leaves(err)[0]) != "Rename it." || !strings.Contains(err.Error(), "somebody else's")) {
			t.Errorf("%s: %v loses its words", name, err)
		}
	}
}

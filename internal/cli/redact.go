package cli

import (
	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/view"
)

// redactedError is an error without the passwords of URLs in its text.
type redactedError struct{ error }

func (e redactedError) Error() string { return clierr.Redact(e.error.Error()) }
func (e redactedError) Unwrap() error { return e.error }

// redactedView shows no password of a URL: what docker, kind and registries say goes through it.
type redactedView struct{ view.View }

func (v redactedView) Emit(e event.Event) {
	switch it := e.(type) {
	case event.Finished:
		it.Error, it.Detail = clierr.Redact(it.Error), clierr.Redact(it.Detail)
		e = it
	case event.Notice:
		it.Text = clierr.Redact(it.Text)
		e = it
	}
	v.View.Emit(e)
}

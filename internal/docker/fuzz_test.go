package docker

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/command"
)

// says is an engine that answers every command with the same text.
type says string

func (s says) Run(_ context.Context, c command.Command) error {
	if c.Stdout == nil {
		return nil
	}
	_, err := io.WriteString(c.Stdout, string(s))
	return err
}

// FuzzAnswers: whatever an engine prints is read or is told to mean nothing, of class clierr.Inconclusive.
func FuzzAnswers(f *testing.F) {
	for _, text := range []string{
		"", "\n", "{", "null", "[]", "7", "<html>", `{"ServerVersion":"27.0.1","NCPU":"4"}`, `{"ServerVersion":"27.0.1","MemTotal":1e99}`, `{"ServerVersion":7}`,
		`{"id":"1","name":"x","image":"y","state":"running","labels":"a=b,c,=,d=e=f"}` + "\n", `{"id":1}` + "\n", `{"id":"1"}{"id":"2"}`,
		`{"id":"sha256:0","labels":null}`, `{"id":"sha256:0","labels":{"a":1}}`, "kind n1\n\x1b[2J\n", strings.Repeat("[", 20000),
		"labctl/node:v1.35.4\n<none>:<none>\n", "/x 2026-01-01T00:00:00Z\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := &Engine{Runner: says(text)}
		ctx := t.Context()
		info, ierr := e.Info(ctx)
		if ierr == nil && info.ServerVersion == "" {
			t.Error("an engine without a version is taken for one")
		}
		containers, cerr := e.Containers(ctx, "labctl.lab")
		if cerr == nil && len(containers) > strings.Count(text, "\n")+1 {
			t.Errorf("%d containers in %d lines", len(containers), strings.Count(text, "\n")+1)
		}
		_, ok, merr := e.Image(ctx, "x")
		if ok && merr != nil {
			t.Error("an image is there and cannot be told")
		}
		_, verr := e.Volumes(ctx, "labctl.lab")
		_, nerr := e.Endpoints(ctx, "kind")
		for _, err := range []error{cerr, merr, verr, nerr} {
			if err != nil && clierr.ClassOf(err) != clierr.Inconclusive {
				t.Errorf("%v is of class %s", err, clierr.ClassOf(err))
			}
		}
	})
}

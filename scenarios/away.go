package scenarios

import (
	"context"
	"errors"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
)

// explainer is a Cluster that knows more about why its API server does not answer than the one who
// called it, and what brings it back.
type explainer interface {
	// Unanswered returns an error of class clierr.Inconclusive for people.
	Unanswered(ctx context.Context, cause error) error
}

// taken says which scenario keeps the API server from answering; nil for none. Nobody waits for that to pass.
func (sc *compiled) taken(ctx context.Context) error {
	if c, ok := sc.cluster.(interface{ UnansweredBy(context.Context) error }); ok {
		return c.UnansweredBy(ctx)
	}
	return nil
}

// explain returns err, and for one that says that the API server is away what is known about that.
func (r *Resource) explain(ctx context.Context, err error) error {
	var away *kube.AwayError
	if !errors.As(err, &away) {
		return err
	}
	if c, ok := r.cluster.(explainer); ok {
		return c.Unanswered(ctx, away)
	}
	return clierr.New(clierr.Inconclusive, "lab %s: %w", r.lab, away)
}

// explained is a result whose answer, where nothing could be seen, says why and what to do about it.
func (r *Resource) explained(ctx context.Context, a *assessment, result Result) Result {
	if a.trouble == nil {
		return result
	}
	if err := r.explain(ctx, a.trouble); err != a.trouble {
		result.Reason, result.Next = err.Error(), clierr.NextOf(err)
	}
	return result
}

package ec2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"

	"github.com/labctl/labctl/internal/count"
)

// newRetryer is the SDK's standard one, but for three things. A lack of capacity comes as a server error and
// will not pass by asking again: the next candidate is the answer. A connection that ended without a response
// may be repeated, since every act of this package can be. And it says that it tries again.
func newRetryer(o ClientOptions) aws.Retryer {
	standard := retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts, s.MaxBackoff = o.Attempts, o.MaxBackoff
		own := retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			switch {
			case lacksCapacity(errorCode(err)):
				return aws.FalseTernary
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		})
		s.Retryables = append([]retry.IsErrorRetryable{own}, s.Retryables...)
	})
	return &retryer{Standard: standard, options: o}
}

// retryer says before each pause that the call is made again.
type retryer struct {
	*retry.Standard
	options ClientOptions
}

// RetryDelay implements aws.Retryer.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	why := cmp.Or(errorCode(err), redact(flatten(err)))
	r.options.trouble.say(attempt+1, fmt.Sprintf("AWS does not answer in %s (%s), trying again (%d of %d)", r.options.Region, why, attempt+1, r.MaxAttempts()))
	return r.Standard.RetryDelay(attempt, err)
}

// slowCall is after how long one attempt is said to take long.
const slowCall = 8 * time.Second

// watch says of each attempt that takes long that it does.
func watch(o ClientOptions) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("labctl: slow", func(
			ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
		) (middleware.FinalizeOutput, middleware.Metadata, error) {
			slow := time.AfterFunc(o.slow, func() {
				o.trouble.say(1, fmt.Sprintf("AWS has not answered in %s for %s, still waiting", o.Region, count.Duration(o.slow)))
			})
			defer slow.Stop()
			return next.HandleFinalize(ctx, in)
		}), middleware.After) // after the retryer, so once for each attempt
	}
}

// trouble is what was said last. Of calls that are made side by side one speaks for all.
type trouble struct {
	tell func(string) // nil: nobody listens

	mu    sync.Mutex
	stage int
	at    time.Time
}

// sameTrouble is for how long a stage that was announced speaks for the other calls.
const sameTrouble = 30 * time.Second

// say tells of a stage, the higher the worse, unless that or a worse one was told of lately.
func (t *trouble) say(stage int, text string) {
	if t.tell == nil {
		return
	}
	t.mu.Lock()
	now := time.Now()
	news := stage > t.stage || now.Sub(t.at) > sameTrouble
	if news {
		t.stage, t.at = stage, now
	}
	t.mu.Unlock()
	if news {
		t.tell(text)
	}
}

package ec2

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
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
	if o.OnRetry == nil {
		return standard
	}
	return &retryer{Standard: standard, options: o}
}

// retryer tells OnRetry before each pause. Of calls that are made side by side one speaks for all.
type retryer struct {
	*retry.Standard
	options ClientOptions

	mu   sync.Mutex
	last int
	at   time.Time
}

// sameTrouble is for how long an attempt that was announced speaks for the other calls.
const sameTrouble = 30 * time.Second

// RetryDelay implements aws.Retryer.
func (r *retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	next := attempt + 1
	r.mu.Lock()
	now := time.Now()
	news := next > r.last || now.Sub(r.at) > sameTrouble
	if news {
		r.last, r.at = next, now
	}
	r.mu.Unlock()
	if news {
		why := cmp.Or(errorCode(err), redact(flatten(err)))
		r.options.OnRetry(fmt.Sprintf("AWS does not answer in %s (%s), trying again (%d of %d)", r.options.Region, why, next, r.MaxAttempts()))
	}
	return r.Standard.RetryDelay(attempt, err)
}

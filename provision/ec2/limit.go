package ec2

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/labctl/labctl/internal/untrusted"
)

// mostAnswer is for one answer of AWS, which gives long lists in pages of a thousand. XML takes many times its size.
const mostAnswer = 4 << 20

// limitAnswers bounds what an answer may have: the SDK reads each whole, and what stands in AWS's place, a proxy
// or a hotel's network, may send without an end. It is a step of the SDK's own, since a client of another type
// would cost it $AWS_CA_BUNDLE.
func limitAnswers(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LimitAnswers", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if r, ok := out.RawResponse.(*smithyhttp.Response); ok && r.Body != nil {
			r.Body = struct {
				io.Reader
				io.Closer
			}{untrusted.Reader(r.Body, mostAnswer, "AWS's answer"), r.Body}
		}
		return out, metadata, err
	}), middleware.After)
}

package ec2

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// TestAnswersWithoutEndAreNotKept: what answers in AWS's place costs no more than an answer may have.
func TestAnswersWithoutEndAreNotKept(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "") // which only a client of the SDK's own takes
	answer := &endless{}
	c, err := NewClient(t.Context(), ClientOptions{Region: "eu-central-1", Attempts: 1, Load: []func(*config.LoadOptions) error{
		config.WithHTTPClient(answer), config.WithCredentialsProvider(keys{}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Regions(t.Context()); err == nil || !strings.Contains(err.Error(), "not read further") {
		t.Errorf("%v", err)
	}
	if answer.sent > 64<<20 {
		t.Errorf("%d MiB were read", answer.sent>>20)
	}
}

// endless answers each request with a list that has no end for 128 MiB.
type endless struct{ sent int }

func (e *endless) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(strings.NewReader("<DescribeRegionsResponse><regionInfo>"), e))}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	const item = "<item></item>"
	if e.sent > 1<<27 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = item[(e.sent+i)%len(item)]
	}
	e.sent += len(p)
	return len(p), nil
}

type keys struct{}

func (keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}

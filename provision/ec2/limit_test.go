package ec2

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// TestAnswersWithoutEndAreNotKept: what answers in AWS's place costs no more than an answer may have.
func TestAnswersWithoutEndAreNotKept(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<DescribeRegionsResponse><regionInfo>")
		for chunk := strings.Repeat("<item></item>", 5<<10); sent.Load() < 1<<30; {
			n, err := io.WriteString(w, chunk)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	c, err := NewClient(t.Context(), ClientOptions{Region: "eu-central-1", Attempts: 1, Load: []func(*config.LoadOptions) error{
		config.WithBaseEndpoint(server.URL), config.WithCredentialsProvider(keys{}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Regions(t.Context()); err == nil || !strings.Contains(err.Error(), "not read further") {
		t.Errorf("%v", err)
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("%d MiB were read", n>>20)
	}
}

type keys struct{}

func (keys) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}

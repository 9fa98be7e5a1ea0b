// Package ec2 is an EC2 instance as a lab's host: one security group, which is the anchor and the
// lock, and one instance in it, whose disk and network interface die with it. Everything carries
// the lab's marks from the moment it exists, so it is found and removed without labctl's state.
//
// The package never touches what lacks one of its marks, opens nothing but SSH, and sends no
// secret in user data. It reads no environment of its own; the AWS SDK finds credentials, region
// and endpoint in its usual places.
package ec2

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/labctl/labctl/internal/clierr"
)

// ClientOptions say how AWS is reached.
type ClientOptions struct {
	Region string
	// Attempts is how often a call is made in all when AWS throttles it, fails inside or drops the
	// connection; 0 means 6.
	Attempts int
	// MaxBackoff is the longest pause between two attempts; 0 means 20 s.
	MaxBackoff time.Duration
	// OnRetry is told, in words for people, that AWS does not answer, or did not and is asked again. It may be nil; it
	// is called on any goroutine.
	OnRetry func(text string)
	// Load adds to how the SDK finds its configuration; tests use it, people use the SDK's files and
	// variables.
	Load []func(*config.LoadOptions) error

	slow    time.Duration // after how long an attempt is said to take long; 0 means 8 s
	trouble *trouble
}

// ConfiguredRegion returns the region that the SDK's files and variables name; "" when they name none.
func ConfiguredRegion(ctx context.Context) (string, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return "", badConfig(err)
	}
	return cfg.Region, nil
}

// Client speaks to AWS in one region. It is safe for concurrent use.
type Client struct {
	Region string

	ec2         calls
	sts         getCallerIdentity
	credentials aws.CredentialsProvider
	ahead       *atomic.Int64 // see Now
	say         func(string)  // ClientOptions.OnRetry, nil included
}

// The bounds of one call.
const (
	callTimeout        = 30 * time.Second // of one attempt
	dialTimeout        = 10 * time.Second // of that, for the connection
	credentialsTimeout = 2 * time.Minute  // a credential_process may ask its own server, or a person
	slowCredentials    = 2 * time.Second  // after which that is said
	defaultAttempts    = 6
	defaultBackoff     = 20 * time.Second
)

// NewClient returns a client for a region. It calls nothing yet; missing credentials show in Caller.
func NewClient(ctx context.Context, o ClientOptions) (*Client, error) {
	if o.Region == "" {
		return nil, clierr.New(clierr.Usage, "no AWS region is given").
			WithNext("Set region in the host block of the lab file, or pass --region.")
	}
	if o.Attempts == 0 {
		o.Attempts = defaultAttempts
	}
	if o.MaxBackoff == 0 {
		o.MaxBackoff = defaultBackoff
	}
	if o.slow == 0 {
		o.slow = slowCall
	}
	if o.trouble == nil {
		o.trouble = &trouble{tell: o.OnRetry}
	}
	load := append([]func(*config.LoadOptions) error{
		config.WithRegion(o.Region),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout })),
		// The SDK's own lines are for its developers, and would stand in the middle of a display.
		config.WithLogger(logging.Nop{}),
		config.WithAPIOptions([]func(*middleware.Stack) error{watch(o), limitAnswers}),
		config.WithProcessCredentialOptions(func(p *processcreds.Options) { p.Timeout = credentialsTimeout }),
		config.WithRetryer(func() aws.Retryer { return newRetryer(o) }),
	}, o.Load...)
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, badConfig(err)
	}
	return &Client{Region: o.Region, ec2: callsOf(cfg), sts: sts.NewFromConfig(cfg).GetCallerIdentity, credentials: cfg.Credentials, ahead: new(atomic.Int64), say: o.OnRetry}, nil
}

// Caller is who the credentials belong to.
type Caller struct {
	Account string // 12 digits
	ARN     string
}

// Owner is who a lab belongs to when nobody says it: the caller's ARN, without the name of a session
// that the SDKs make up anew each time, by which nobody would find his lab again.
func (c Caller) Owner() string {
	if m := madeUpSession.FindStringSubmatch(c.ARN); m != nil {
		return m[1]
	}
	return c.ARN
}

var madeUpSession = regexp.MustCompile(`^(arn:[^:]+:sts::[0-9]+:assumed-role/[^/]+)/(botocore-session-|aws-sdk-js-session-|aws-go-sdk-|aws-sdk-java-)?[0-9]+$`)

// Caller asks AWS who is calling. Missing, expired and invalid credentials are a clierr.Refused.
func (c *Client) Caller(ctx context.Context) (Caller, error) {
	if err := c.LookForCredentials(ctx); err != nil {
		return Caller{}, err
	}
	out, err := c.sts(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, c.explain("sts:GetCallerIdentity", err)
	}
	c.heard(out.ResultMetadata)
	return Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// LookForCredentials finds out whether there are any, without calling EC2 or STS. Missing and expired ones
// are a clierr.Refused.
func (c *Client) LookForCredentials(ctx context.Context) error {
	if c.credentials == nil {
		return nil
	}
	retrieving, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if c.say != nil {
		slow := time.AfterFunc(slowCredentials, func() { c.say("still waiting for the AWS credentials, from what the profile says where to get them") })
		defer slow.Stop()
	}
	if _, err := c.credentials.Retrieve(retrieving); err != nil && ctx.Err() == nil {
		return noCredentials(err)
	}
	return nil
}

// Regions lists the regions that the account has enabled.
func (c *Client) Regions(ctx context.Context) ([]string, error) {
	out, err := c.ec2.DescribeRegions(ctx, &sdk.DescribeRegionsInput{})
	if err != nil {
		err = c.explain("ec2:DescribeRegions", err)
		if clierr.ClassOf(err) == clierr.Refused {
			return nil, clierr.New(clierr.Refused, "%w", err).
				WithNext("If %s alone is closed to you, set AWS_REGION to a region that is not, or name the regions with --region. Otherwise: %s", c.Region, clierr.NextOf(err))
		}
		return nil, err
	}
	var names []string
	for _, r := range out.Regions {
		names = append(names, aws.ToString(r.RegionName))
	}
	return names, nil
}

// filter is one condition of a describe call.
func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// money writes dollars per hour as AWS's own price lists do.
func money(usd float64) string { return fmt.Sprintf("$%.4f", usd) }

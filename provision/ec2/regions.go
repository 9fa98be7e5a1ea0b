package ec2

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/config"
)

// anyRegion answers what can be asked of every region. No account can disable it.
const anyRegion = "us-east-1"

// HomeRegion returns the region of o, else that of the caller's AWS configuration (AWS_REGION, the
// profile's), else one that every account has.
func HomeRegion(ctx context.Context, o ClientOptions) (string, error) {
	if o.Region != "" {
		return o.Region, nil
	}
	configured, err := ConfiguredRegion(ctx)
	return cmp.Or(configured, anyRegion), err
}

// Clients returns a client for each region, each named once, in their order. Like NewClient it calls
// nothing.
func Clients(ctx context.Context, o ClientOptions, regions []string) ([]*Client, error) {
	var all []*Client
	o.trouble = &trouble{tell: o.OnRetry} // one region speaks for all
	for i, region := range regions {
		if slices.Contains(regions[:i], region) {
			continue
		}
		o.Region = region
		c, err := NewClient(ctx, o)
		if err != nil {
			return nil, err
		}
		if all == nil && c.credentials != nil {
			// The others share them: a credential_process is not run for each region.
			o.Load = append(slices.Clone(o.Load), config.WithCredentialsProvider(c.credentials))
		}
		all = append(all, c)
	}
	return all, nil
}

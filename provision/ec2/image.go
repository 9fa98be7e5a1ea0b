package ec2

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/labctl/labctl/internal/clierr"
)

// image is a machine image.
type image struct {
	ID, Name, RootDevice string
	DiskGiB              int  // of its root disk
	Stranger             bool // nothing says whether it is a Debian or an Ubuntu
}

// publishers own the images that labctl knows by name. Anybody may publish an image of any name, so
// the owner is what makes it Debian's (wiki.debian.org/Cloud/AmazonEC2Image) or Ubuntu's
// (documentation.ubuntu.com/aws, "Find images").
const (
	debianAccount    = "136693071363"
	canonicalAccount = "099720109477"
)

// published returns the owner of an image that is known by name and the pattern of its names in
// AWS. AMI architectures are x86_64 and arm64; the names say amd64 and arm64.
func published(name, architecture string) (owner, pattern string, ok bool) {
	arch := strings.Replace(architecture, "x86_64", "amd64", 1)
	switch name {
	case "debian-12", "debian-13":
		return debianAccount, name + "-" + arch + "-2*", true // 2*: a date, so neither "daily" nor "backports"
	case "ubuntu-24.04":
		return canonicalAccount, "ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-" + arch + "-server-*", true
	}
	return "", "", false
}

// image resolves the name of a lab file, or an AMI, to the image to start from. An AMI is looked up
// whatever its architecture when that is empty.
func (c *Client) image(ctx context.Context, name, architecture string) (image, error) {
	in := &sdk.DescribeImagesInput{}
	owner, pattern, known := published(name, architecture)
	if known {
		in.Owners = []string{owner}
		in.Filters = []types.Filter{
			filter("name", pattern), filter("architecture", architecture), filter("state", "available"),
			filter("root-device-type", "ebs"), filter("virtualization-type", "hvm"),
		}
	} else {
		in.ImageIds = []string{name}
	}
	out, err := c.ec2.DescribeImages(ctx, in)
	if code := errorCode(err); strings.HasPrefix(code, "InvalidAMIID") {
		return image{}, noImage(name, architecture, c.Region)
	}
	if err != nil {
		return image{}, c.explain("DescribeImages", err)
	}
	found := slices.DeleteFunc(out.Images, func(i types.Image) bool {
		return architecture != "" && string(i.Architecture) != architecture || known && aws.ToString(i.OwnerId) != owner
	})
	if len(found) == 0 {
		return image{}, noImage(name, architecture, c.Region)
	}
	newest := slices.MaxFunc(found, func(a, b types.Image) int {
		return cmp.Or(strings.Compare(aws.ToString(a.CreationDate), aws.ToString(b.CreationDate)), strings.Compare(aws.ToString(a.ImageId), aws.ToString(b.ImageId)))
	})
	other, sure := distribution(newest)
	if other != "" {
		return image{}, clierr.New(clierr.Refused, "image %s (%s) is no Debian and no Ubuntu, but %s: Docker could not be installed on it", name, aws.ToString(newest.Name), other).
			WithNext("Use debian-12, debian-13, ubuntu-24.04, or an AMI that was made from one of them.")
	}
	is := describeImage(newest)
	is.Stranger = !sure
	return is, nil
}

func describeImage(i types.Image) image {
	found := image{ID: aws.ToString(i.ImageId), Name: aws.ToString(i.Name), RootDevice: aws.ToString(i.RootDeviceName)}
	for _, m := range i.BlockDeviceMappings {
		if aws.ToString(m.DeviceName) == found.RootDevice && m.Ebs != nil {
			found.DiskGiB = int(aws.ToInt32(m.Ebs.VolumeSize))
		}
	}
	return found
}

func noImage(name, architecture, region string) error {
	return clierr.New(clierr.Refused, "there is no image %s for %s in %s that these credentials may use", name, architecture, region).
		WithNext("Use debian-12, debian-13, ubuntu-24.04, or the id of an AMI in %s.", region)
}

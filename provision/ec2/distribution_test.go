package ec2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestDistribution(t *testing.T) {
	for _, c := range []struct {
		name, description, details string
		platform                   types.PlatformValues
		other                      string
		known                      bool
	}{
		{name: "debian-12-amd64-20250601-2000", details: "Linux/UNIX", known: true},
		{name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260601", known: true},
		{name: "ubuntu-pro-server/images/x", details: "Ubuntu Pro", known: true},
		{name: "our-lab-image-7", description: "Debian 12 with our tools, not CentOS", details: "Linux/UNIX", known: true},
		{name: "our-lab-image-7", description: "x86_64 architecture"},
		{name: "al2023-ami-2023.6.20250101.0-kernel-6.1-x86_64", description: "Amazon Linux 2023 AMI", details: "Linux/UNIX", other: "al2023", known: true},
		{name: "amzn2-ami-kernel-5.10-hvm-2.0", other: "amzn", known: true},
		{name: "RHEL-9.4.0_HVM-20250101-x86_64-0", details: "Red Hat Enterprise Linux", other: "Red Hat Enterprise Linux", known: true},
		{name: "Rocky-9-EC2-Base-9.4.x86_64", other: "rocky", known: true},
		{name: "CentOS Stream 9 x86_64", other: "centos", known: true},
		{name: "Windows_Server-2022-English", platform: types.PlatformValuesWindows, details: "Windows", other: "Windows", known: true},
		{name: "suse-sles-15-sp6", details: "SUSE Linux", other: "SUSE Linux", known: true},
	} {
		other, known := distribution(types.Image{
			Name: aws.String(c.name), Description: aws.String(c.description), PlatformDetails: aws.String(c.details), Platform: c.platform,
		})
		if other != c.other || known != c.known {
			t.Errorf("%s (%s): %q, %v; want %q, %v", c.name, c.description, other, known, c.other, c.known)
		}
	}
}

package labfile

import (
	"math/big"
	"net/netip"
	"regexp"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// The bounds and defaults of an EC2 host.
const (
	defaultDiskGiB = 30
	minDiskGiB     = 16 // Debian, the images and three nodes' /var leave no room for less
	maxDiskGiB     = 1024
	defaultImage   = "debian-12"
)

var (
	awsRegion    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
	instanceType = regexp.MustCompile(`^[a-z][a-z0-9-]*\.[a-z0-9-]+$`)
	machineImage = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	hostImages   = []string{"debian-12", "debian-13", "ubuntu-24.04"}
)

// host decodes the host block into lab.Host.
func (b *block) host(lab *Lab, opt Options) {
	at := b.oneOfType("host", []string{"ec2"})
	if at == nil {
		return
	}
	h := &Host{Type: at.Labels[0], Name: at.Labels[1], Range: header(at), DiskGiB: defaultDiskGiB, Image: defaultImage}
	lab.Host = h
	inner := b.open(at.Body, `host "`+h.Name+`"`, h.Range, b.scope, shape{
		attributes: []string{"region", "instance_type", "image", "disk_gib", "max_price", "ssh_from"},
		required:   []string{"region"},
	})
	if region, ok := inner.text("region"); ok {
		if h.Region = region; !awsRegion.MatchString(region) {
			b.report(inner.rangeOf("region"), "Invalid region", "%q is not an AWS region such as ap-south-2.", region)
		}
	}
	h.InstanceTypes = []string{"t3.large", "t3a.large"}
	if types, ok := inner.texts("instance_type"); ok {
		h.InstanceTypes = types
		inner.checkInstanceTypes(types)
	}
	if image, ok := inner.text("image"); ok {
		if h.Image = image; !slices.Contains(hostImages, image) && !machineImage.MatchString(image) {
			b.report(inner.rangeOf("image"), "Unknown image", "The image is %s, or an AMI such as ami-0123456789abcdef0; %q is none of them.%s",
				list(hostImages), image, didYouMean(image, hostImages))
		}
	}
	if size, ok := inner.count("disk_gib", minDiskGiB, maxDiskGiB); ok {
		h.DiskGiB = size
	}
	h.MaxPrice = inner.price("max_price")
	h.SSHFrom = inner.networks("ssh_from", !opt.Local)
}

func (b *block) checkInstanceTypes(types []string) {
	rng := b.rangeOf("instance_type")
	if len(types) == 0 {
		b.report(rng, "Empty list", "There must be at least one instance type.")
	}
	for i, name := range types {
		if !instanceType.MatchString(name) {
			b.report(rng, "Invalid instance type", "%q is not an instance type such as t3.large.", name)
		} else if slices.Contains(types[:i], name) {
			b.report(rng, "Duplicate instance type", "%q is named twice.", name)
		}
	}
}

// price is a number of dollars per hour; 0, no limit, when it is not given.
func (b *block) price(name string) float64 {
	value, rng, ok := b.typed(name, cty.Number, "a number")
	if !ok {
		return 0
	}
	price := value.AsBigFloat()
	if price.Sign() <= 0 || price.Cmp(big.NewFloat(1000)) > 0 {
		b.report(rng, "Number out of range", "%q must be more than 0 and at most 1000 (US dollars per hour).", name)
		return 0
	}
	f, _ := price.Float64()
	return f
}

// networks is a list of CIDRs. More of the internet than anybody works from (see Wide) is among them only where
// it stands in the file itself, so that neither a variable nor the environment opens a host to everybody; warn
// says so then.
func (b *block) networks(name string, warn bool) []string {
	cidrs, _ := b.texts(name)
	rng := b.rangeOf(name)
	var all []netip.Prefix
	for _, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil:
			detail := "Write it as 203.0.113.7/32."
			if address, err := netip.ParseAddr(cidr); err == nil && address.Zone() == "" {
				detail = "For this address alone write " + netip.PrefixFrom(address, address.BitLen()).String() + "."
			}
			b.report(rng, "Invalid network", "%q is not a network. %s", cidr, detail)
		case prefix != Plain(prefix):
			b.report(rng, "Invalid network", "%q is not written as a network is. Write %s.", cidr, Plain(prefix))
		default:
			all = append(all, prefix)
		}
	}
	switch wide := Wide(all); {
	case wide == "":
	case !b.literal(name):
		b.report(rng, "Open to the internet", "%s. So much must stand here as it is, not come from a variable.", wide)
	case warn:
		b.warn(rng, "Open to the internet", "SSH on the host will be open to %s. Only the lab's own key is let in; name the networks that SSH is used from all the same.", wide)
	}
	return cidrs
}

// literal tells whether an attribute's value refers to nothing outside itself.
func (b *block) literal(name string) bool {
	attribute := b.syntax.Attributes[name]
	return attribute != nil && len(attribute.Expr.Variables()) == 0
}

package labfile

import (
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

const (
	defaultKubernetes = "1.35"
	maxWorkers        = 9
	// A node's container is called <cluster>-control-plane, which is its host name too, and a host
	// name has at most 63 characters.
	maxClusterName = 63 - len("-control-plane")
)

var kubernetesVersion = regexp.MustCompile(`^1\.[1-9][0-9](\.[0-9]{1,2})?$`)

// The roles of a node.
const (
	roleControlPlane = "control-plane"
	roleWorker       = "worker"
)

// cluster decodes the cluster block into lab.Cluster.
func (b *block) cluster(lab *Lab, opt Options) {
	if len(b.each("cluster")) == 0 {
		b.missing(b.at, "No cluster", "A lab needs a block: cluster %q %q { … }.", "kind", "name")
	}
	at := b.oneOfType("cluster", []string{"kind"})
	if at == nil {
		return
	}
	k := &Cluster{Type: at.Labels[0], Name: at.Labels[1], Range: header(at), Kubernetes: defaultKubernetes}
	lab.Cluster = k
	inner := b.open(at.Body, `cluster "`+k.Name+`"`, k.Range, b.scope, shape{
		attributes: []string{"host", "kubernetes", "image", "api_port"},
		blocks:     []string{"node", "kubelet"},
	})
	b.nameCluster(k, at.LabelRanges[1], opt)
	inner.hostReference(lab.Host)
	inner.kubernetes(k)
	if image, ok := inner.text("image"); ok {
		if k.Image = image; !imageReference.MatchString(image) {
			b.report(inner.rangeOf("image"), "Invalid image", "%q is not an image such as kindest/node:v1.35.0.", image)
		}
	}
	k.APIPort, _ = inner.count("api_port", 0, 65535)
	k.Nodes = inner.nodes()
	if kubelet := inner.single("kubelet"); kubelet != nil {
		k.Kubelet = inner.kubelet(kubelet)
	}
}

// nameCluster applies --name, and checks the length of what comes out.
func (b *block) nameCluster(k *Cluster, rng hcl.Range, opt Options) {
	declared := ""
	if labs := b.each("lab"); len(labs) > 0 && len(labs[0].Labels) > 0 {
		declared = labs[0].Labels[0]
	}
	own := k.Name
	if opt.Name != "" && opt.Name != declared {
		k.Name += "-" + opt.Name
	}
	switch {
	case len(own) > maxClusterName && len(own) <= maxName:
		b.report(rng, "Invalid name", "The name of this cluster has %d characters; it may have %d, because its nodes are called %s-control-plane and so on.",
			len(own), maxClusterName, "NAME")
	case len(own) <= maxClusterName && len(k.Name) > maxClusterName && len(opt.Name) <= maxName:
		room := maxClusterName - len(own) - 1
		if room < 1 {
			b.report(rng, "Name too long", "With --name the cluster would be called %q, and a cluster's name has at most %d characters. Shorten the cluster's own name.", k.Name, maxClusterName)
			return
		}
		b.reportNowhere("--name too long", "With --name the cluster is called %q, which has %d characters; it may have %d. Choose a --name of at most %d.",
			k.Name, len(k.Name), maxClusterName, room)
	}
}

// hostReference decodes host = host.ec2.NAME. The lab has one host at most, so there is nothing to
// keep but that it is meant.
func (b *block) hostReference(declared *Host) {
	attribute := b.syntax.Attributes["host"]
	if attribute == nil {
		if declared != nil {
			b.missing(declared.Range, "Unused host", "No cluster runs on this host. Write host = host.%s.%s in the cluster block.", declared.Type, declared.Name)
		}
		return
	}
	rng := attribute.Expr.Range()
	path, diags := hcl.AbsTraversalForExpr(attribute.Expr)
	if diags.HasErrors() || len(path) != 3 || path.RootName() != "host" {
		b.report(rng, "Not a host", "The attribute %q refers to a host block: host.ec2.NAME.", "host")
		return
	}
	kind, okKind := path[1].(hcl.TraverseAttr)
	name, okName := path[2].(hcl.TraverseAttr)
	if !okKind || !okName {
		b.report(rng, "Not a host", "The attribute %q refers to a host block: host.ec2.NAME.", "host")
		return
	}
	switch {
	case declared == nil:
		b.missing(rng, "Unknown host", "No host is declared. Declare it with: host %q %q { … }.", kind.Name, name.Name)
	case declared.Type != kind.Name || declared.Name != name.Name:
		known := "host." + declared.Type + "." + declared.Name
		b.report(rng, "Unknown host", "No host %s.%s is declared. Did you mean %s?", kind.Name, name.Name, known)
	}
}

// kubernetes decodes the version, which must be written as a text: as a number, 1.30 is 1.3.
func (b *block) kubernetes(k *Cluster) {
	value, rng, ok := b.value("kubernetes")
	switch {
	case !ok:
	case value.Type() == cty.Number:
		b.report(rng, "Wrong type", "Put the version in quotes: as a number, 1.30 would be 1.3.")
	case value.Type() != cty.String || !kubernetesVersion.MatchString(value.AsString()):
		b.report(rng, "Invalid version", "%q is a Kubernetes version such as \"1.35\" or \"1.35.4\".", "kubernetes")
	default:
		k.Kubernetes = value.AsString()
	}
}

// nodes decodes the node blocks: one entry per node, the control plane first.
func (b *block) nodes() []Node {
	var planes, workers []Node
	var planeBlocks, workerBlocks []*hclsyntax.Block
	roles := []string{roleControlPlane, roleWorker}
	known := true // whether every count is
	for _, at := range b.each("node") {
		if !b.labels(at, "role") {
			known = false
			continue
		}
		role := at.Labels[0]
		if !slices.Contains(roles, role) {
			b.report(at.LabelRanges[0], "Unknown role", "A node is a %s, not %q.%s", list(roles), role, didYouMean(role, roles))
			known = false
			continue
		}
		inner := b.open(at.Body, `node "`+role+`"`, header(at), b.scope, shape{attributes: []string{"count", "labels"}})
		count := 1
		if at.Body.Attributes["count"] != nil {
			n, ok := inner.count("count", 0, 1000)
			count, known = n, known && ok
		}
		labels := inner.textMap("labels")
		inner.checkNodeLabels(labels)
		for range min(count, maxWorkers+1) {
			if node := (Node{Role: role, Labels: labels}); role == roleWorker {
				workers = append(workers, node)
			} else {
				planes = append(planes, node)
			}
		}
		if role == roleWorker {
			workerBlocks = append(workerBlocks, at)
		} else {
			planeBlocks = append(planeBlocks, at)
		}
	}
	if n := len(planes); known && n != 1 {
		at, report := b.at, b.missing
		if len(planeBlocks) > 0 {
			at, report = header(planeBlocks[len(planeBlocks)-1]), b.report
		}
		have := "has none"
		if n > 1 {
			have = "has more"
		}
		report(at, "One control plane", "A cluster has exactly one control-plane node, and this one %s. Write: node %q {}.", have, roleControlPlane)
	}
	if len(workers) > maxWorkers {
		b.report(header(workerBlocks[len(workerBlocks)-1]), "Too many workers", "A cluster has at most %d workers.", maxWorkers)
	}
	return append(planes, workers...)
}

package kind

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/fault"
)

// labelKubernetes on a local image says which Kubernetes it is a node image of.
const labelKubernetes = "labctl.kubernetes"

// released are the node images that the release notes of kind v0.33.0 name for it, by version.
// https://github.com/kubernetes-sigs/kind/releases/tag/v0.33.0
var released = map[string]string{
	"1.37.0":  "sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5",
	"1.36.4":  "sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed",
	"1.35.8":  "sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0",
	"1.34.11": "sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d",
}

// image is a resolved node image.
type image struct {
	name    string // as passed to kind
	id      string // the engine's id; empty when it has to be pulled first
	version string // of Kubernetes, "1.35.4"; empty when only the image's owner knows
}

// resolveImage finds the node image of a cluster: the one that the lab file names; else a local one
// labelled with a fitting version of Kubernetes, the newest; else the one of kind's release notes,
// pinned by digest.
func resolveImage(ctx context.Context, engine *docker.Engine, named, kubernetes string) (image, error) {
	if named != "" {
		local, _, err := engine.Image(ctx, named)
		if err != nil {
			return image{}, err
		}
		return image{name: named, id: local.ID, version: local.Labels[labelKubernetes]}, nil
	}
	names, err := engine.ImagesLabelled(ctx, labelKubernetes)
	if err != nil {
		return image{}, unreachable(err)
	}
	var best image
	for _, name := range names {
		local, ok, err := engine.Image(ctx, name)
		if err != nil {
			return image{}, err
		}
		version := local.Labels[labelKubernetes]
		if ok && fits(version, kubernetes) && (best.name == "" || newer(version, best.version)) {
			best = image{name: name, id: local.ID, version: version}
		}
	}
	if best.name != "" {
		return best, nil
	}
	for version, digest := range released {
		if fits(version, kubernetes) && (best.name == "" || newer(version, best.version)) {
			best = image{name: "kindest/node:v" + version + "@" + digest, version: version}
		}
	}
	if best.name == "" {
		var known []string
		for version := range released {
			known = append(known, version)
		}
		slices.Sort(known)
		return image{}, fault.New(fault.Refused, "no node image for Kubernetes %s: none is labelled %s=%s on this engine, and kind's release names only %s",
			kubernetes, labelKubernetes, kubernetes, strings.Join(known, ", ")).
			WithNext("Set `image` in the cluster block, or another `kubernetes`.")
	}
	local, _, err := engine.Image(ctx, best.name)
	if err != nil {
		return image{}, err
	}
	best.id = local.ID
	return best, nil
}

// fits says whether a version is the wanted one: "1.35" is fitted by every 1.35.x.
func fits(version, wanted string) bool {
	return version == wanted || strings.HasPrefix(version, wanted+".")
}

// newer compares versions by their numbers.
func newer(a, b string) bool {
	var x, y [3]int
	_, _ = fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2])
	_, _ = fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:]) > 0
}

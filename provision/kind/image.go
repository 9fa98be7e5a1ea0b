package kind

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/docker"
)

// labelKubernetes on a local image says which Kubernetes it is a node image of.
const labelKubernetes = "labctl.kubernetes"

// ownRepository is where `make node-image` puts the images that it builds.
const ownRepository = "labctl/node"

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
	why     string // it is this one
	// unrecorded is an image of labctl's own name that would fit, and is not taken.
	unrecorded string
}

// resolveImage finds the node image of a cluster: the one that the lab file names; else the newest fitting one
// that `make node-image` has built and recorded with this engine; else the one of kind's release notes, pinned by
// digest. A node is privileged, so nothing else becomes one: names and labels of images come with whatever is
// loaded or pulled.
func resolveImage(ctx context.Context, engine *docker.Engine, named, kubernetes string) (image, error) {
	if named != "" {
		local, _, err := engine.Image(ctx, named)
		if err != nil {
			return image{}, err
		}
		return image{name: named, id: local.ID, version: local.Labels[labelKubernetes], why: "named by the lab file"}, nil
	}
	best, unrecorded, err := ownImage(ctx, engine, kubernetes)
	if err != nil || best.name != "" {
		return best, err
	}
	for version, digest := range released {
		if fits(version, kubernetes) && (best.name == "" || newer(version, best.version)) {
			best = image{name: "kindest/node:v" + version + "@" + digest, version: version, why: "of kind's release, by digest"}
		}
	}
	if best.name == "" {
		err := clierr.New(clierr.Refused, "no node image for Kubernetes %s: none was built on this engine, and kind's release names only %s",
			kubernetes, strings.Join(slices.Sorted(maps.Keys(released)), ", ")).
			WithNext("Set `image` in the cluster block, or another `kubernetes`.")
		return image{}, notRecorded(err, unrecorded)
	}
	local, _, err := engine.Image(ctx, best.name)
	if err != nil {
		return image{}, err
	}
	best.id, best.unrecorded = local.ID, unrecorded
	return best, nil
}

// ownImage is the newest fitting image of labctl's own name whose id is recorded with the engine; unrecorded is
// one that is not, and would have been taken else.
func ownImage(ctx context.Context, engine *docker.Engine, kubernetes string) (best image, unrecorded string, err error) {
	names, err := engine.ImageNames(ctx, ownRepository)
	if err != nil || len(names) == 0 {
		return image{}, "", unreachableOr(err)
	}
	recorded, err := engine.Recorded(ctx)
	if err != nil {
		return image{}, "", unreachable(err)
	}
	for _, name := range names {
		local, ok, err := engine.Image(ctx, name)
		if err != nil {
			return image{}, "", err
		}
		version := local.Labels[labelKubernetes]
		switch {
		case !ok || !fits(version, kubernetes):
		case !slices.Contains(recorded, local.ID):
			unrecorded = name
		case best.name == "" || newer(version, best.version):
			best = image{name: name, id: local.ID, version: version, why: "built on this engine"}
		}
	}
	return best, unrecorded, nil
}

func unreachableOr(err error) error {
	if err == nil {
		return nil
	}
	return unreachable(err)
}

// notRecorded adds to a failure that an image is there which would fit and is not taken.
func notRecorded(err *clierr.Error, name string) *clierr.Error {
	if name == "" {
		return err
	}
	return err.WithNext("%s is on this engine, but not recorded as built there, so it is not used: `make node-image` in labctl's repository builds it; "+
		"`scripts/node-image.sh --record %s` records one that you trust; or set `image` in the cluster block.", name, name)
}

// fits says whether a version is the wanted one: "1.35" is fitted by every 1.35.x.
func fits(version, wanted string) bool {
	return version == wanted || strings.HasPrefix(version, wanted+".")
}

// newer compares versions by their numbers. What is no version is older than every other.
func newer(a, b string) bool {
	x, err := version.ParseGeneric(a)
	if err != nil {
		return false
	}
	y, err := version.ParseGeneric(b)
	return err != nil || y.LessThan(x)
}

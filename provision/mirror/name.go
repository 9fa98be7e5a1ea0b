package mirror

import (
	"slices"
	"strings"
)

// dockerHub is the registry of names that name none.
const dockerHub = "docker.io"

// reference is an image's name taken apart, as containerd reads it.
type reference struct {
	registry   string // "docker.io", "quay.io", "localhost:5000"
	repository string // "library/nginx"
	tag        string // "latest" where none is named; "" with a digest
	digest     string // "sha256:…"
}

// parse reads an image's name: the first part is a registry when it looks like a host.
func parse(name string) reference {
	r := reference{registry: dockerHub}
	name, r.digest, _ = strings.Cut(name, "@")
	if host, rest, ok := strings.Cut(name, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		r.registry, name = host, rest
	}
	if slices.Contains([]string{"index.docker.io", "registry-1.docker.io"}, r.registry) {
		r.registry = dockerHub
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name, r.tag = name[:i], name[i+1:]
	}
	if r.tag == "" && r.digest == "" {
		r.tag = "latest"
	}
	if r.registry == dockerHub && !strings.Contains(name, "/") {
		name = "library/" + name
	}
	r.repository = name
	return r
}

// path is the repository in the mirror. Docker Hub's have their own names; those of other registries begin with
// the registry's, so that they cannot clash: no name on Docker Hub begins with a host's.
func (r reference) path() string {
	if r.registry == dockerHub {
		return r.repository
	}
	return prefix(r.registry) + "/" + r.repository
}

// prefix is a registry's host as a part of a repository's name, which has no colon and no capitals.
func prefix(registry string) string {
	return strings.ToLower(strings.ReplaceAll(registry, ":", "__"))
}

// registries lists the registries that images name, each once.
func registries(images []string) []string {
	var all []string
	for _, name := range images {
		all = append(all, parse(name).registry)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isLocal: a node that follows such a name asks itself.
func isLocal(registry string) bool {
	host, _, _ := strings.Cut(registry, ":")
	return host == "localhost" || strings.HasPrefix(host, "127.")
}

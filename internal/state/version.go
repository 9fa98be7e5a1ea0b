package state

import "regexp"

// kubernetesVersion is what a version of Kubernetes looks like: "1.35", "1.35.4", "1.36.0-rc.1".
var kubernetesVersion = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,4}([-+][0-9A-Za-z]{1,16}(\.[0-9A-Za-z]{1,16}){0,3})?)?$`)

// IsKubernetesVersion reports whether a text is a version of Kubernetes and nothing else: one that comes from
// a node, an image or a file becomes part of paths and messages.
func IsKubernetesVersion(text string) bool { return kubernetesVersion.MatchString(text) }

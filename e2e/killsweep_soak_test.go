//go:build e2e && soak

package e2e

const soakTag = true // scripts/soak.sh builds with the tag

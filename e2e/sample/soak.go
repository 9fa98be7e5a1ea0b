//go:build soak

package sample

const tag = true // scripts/soak.sh builds with it

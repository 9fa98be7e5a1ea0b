//go:build !soak

package sample

const tag = false

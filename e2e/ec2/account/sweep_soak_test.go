//go:build e2e && soak

package account_test

// soakTag: the whole sweep, not a cross-section.
const soakTag = true

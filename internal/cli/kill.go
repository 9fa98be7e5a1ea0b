//go:build !killpoints

package cli

// killRequest returns what happens before each request to the API: nothing. Builds with the tag
// killpoints, made by the tests, have another one.
func (a *app) killRequest() func(method, path string) { return nil }

//go:build !killpoints

package lab

// killRequest returns what happens before each request to the API: nothing. Builds with the tag
// killpoints, made by the tests, have another one.
func (m *Machine) killRequest() func(method, path string) { return nil }

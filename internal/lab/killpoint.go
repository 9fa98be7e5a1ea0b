//go:build !killpoints

package lab

import "net/http"

// killRequest returns what happens before each request to the API: nothing. Builds with the tag
// killpoints, made by the tests, have another one.
func (m *Machine) killRequest() func(*http.Request) { return nil }

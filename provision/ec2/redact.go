package ec2

import "regexp"

// credentials are the user and password of a URL, with or without its scheme, as errors of an HTTP client name a
// proxy. They may hold slashes and at signs when somebody forgot to encode them.
var credentials = regexp.MustCompile(`[^\s"'(]*:[^\s"']*@`)

// redact takes passwords out of what a network error says.
func redact(text string) string { return credentials.ReplaceAllString(text, "[redacted]@") }

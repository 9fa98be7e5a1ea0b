package clierr

import "regexp"

// userinfo is the part of a URL that may hold a password: a proxy's, a registry's.
var userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#"'` + "`" + `]*@`)

// Redact takes user names and passwords out of the URLs in a text. Whatever another program has said goes through
// it before it is printed or written down.
func Redact(text string) string { return userinfo.ReplaceAllString(text, "${1}***@") }

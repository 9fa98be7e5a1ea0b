package labfile

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxListed bounds how many names a message spells out.
const maxListed = 30

// list writes names as a person would: `a, b or c`.
func list(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	if more := len(names) - maxListed; more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// article puts "a" or "an" before a type's name.
func article(name string) string {
	if strings.HasPrefix(name, "list of") || name == "tuple" {
		return "a list"
	}
	if name == "bool" {
		return "true or false"
	}
	if name == "string" {
		return "a text"
	}
	if name != "" && strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

package draft

import (
	"regexp"
	"strings"
)

// statement is a command of a script, or a part of it that is not read any further.
type statement struct {
	line  int
	words []string // nil: not a plain command
	text  string
	stdin string // a here-document of plain text
	// fromHere: there is one; piped: the command is `cat <<X | words`.
	fromHere bool
}

var (
	hereDocument = regexp.MustCompile(`<<-?\s*(['"]?)([A-Za-z_][A-Za-z0-9_]*)['"]?`)
	assignment   = regexp.MustCompile(`^(?:export\s+|local\s+|readonly\s+)?([A-Za-z_][A-Za-z0-9_]*)=(?:"([^"$\x60\\]*)"|'([^']*)'|([A-Za-z0-9._:/-]*))$`)
	reference    = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)
	opens        = regexp.MustCompile(`^(if|for|while|until|case|select)\b|^(function\s+)?[A-Za-z_][A-Za-z0-9_]*\s*\(\)|^\{$`)
	closes       = regexp.MustCompile(`(^|;\s*)(fi|done|esac|\})\s*([|;&>].*)?$`)
	ownFolder    = strings.NewReplacer(`"$(dirname "$0")"`, ".", `$(dirname "$0")`, ".", `$(dirname $0)`, ".", `$(dirname "${BASH_SOURCE[0]}")`, ".", `$(dirname "${BASH_SOURCE}")`, ".")
)

// statements reads a script as far as that is certain. Compound commands are one statement without words.
func statements(text string) (all []statement) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	known := map[string]string{}
	for i := 0; i < len(lines); i++ {
		at, line := i, strings.TrimSpace(lines[i])
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for strings.HasSuffix(line, "\\") && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, "\\") + " " + strings.TrimSpace(lines[i])
		}
		if opens.MatchString(line) {
			i = compound(lines, i)
			all = append(all, statement{line: at + 1, text: strings.TrimSpace(lines[at])})
			continue
		}
		s := statement{line: at + 1, text: line}
		if here := hereDocument.FindStringSubmatchIndex(line); here != nil {
			end, quoted := line[here[4]:here[5]], here[3] > here[2]
			var body []string
			for i++; i < len(lines) && strings.TrimSpace(lines[i]) != end; i++ {
				body = append(body, lines[i])
			}
			line = strings.TrimSpace(line[:here[0]] + line[here[1]:])
			s.stdin, s.fromHere = strings.Join(body, "\n")+"\n", true
			if !quoted {
				var sure bool
				if s.stdin, sure = expand(s.stdin, known); !sure || strings.Contains(s.stdin, "\\") {
					all = append(all, s)
					continue
				}
			}
		}
		if found := assignment.FindStringSubmatch(line); found != nil {
			known[found[1]] = found[2] + found[3] + found[4]
			continue
		}
		s.words = words(ownFolder.Replace(line), known)
		all = append(all, s)
	}
	return all
}

// compound returns the last line of a compound command that begins in line i.
func compound(lines []string, i int) int {
	for depth := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if opens.MatchString(line) {
			depth++
		}
		if closes.MatchString(line) {
			depth--
		}
		if depth <= 0 {
			return i
		}
	}
	return i
}

// expand fills in the variables that the script has set to plain texts, and says whether that were all.
func expand(text string, known map[string]string) (string, bool) {
	sure := true
	text = reference.ReplaceAllStringFunc(text, func(ref string) string {
		v, ok := known[reference.FindStringSubmatch(ref)[1]]
		if strings.Contains(v, "$") {
			ok = false
		}
		sure = sure && ok
		return v
	})
	return text, sure && !strings.ContainsAny(text, "$`")
}

// words splits a simple command as a shell does, or returns nil where more than words stands there. What only says where
// output goes or that a failure does not matter is left out.
func words(line string, known map[string]string) (all []string) {
	for _, tail := range []string{"|| true", "|| :", "2>&1", "2>/dev/null", "2> /dev/null", "&>/dev/null", ">/dev/null", "> /dev/null", ";"} {
		line = strings.ReplaceAll(strings.TrimSpace(line)+" ", tail+" ", " ")
		line = strings.TrimSpace(line)
	}
	if rest, is := strings.CutPrefix(line, "cat"); is { // cat <<EOF | kubectl apply -f -
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "|") {
			line = strings.TrimSpace(rest[1:])
		}
	}
	var word strings.Builder
	in, began := rune(0), false
	for _, r := range line + " " {
		switch {
		case in != 0 && r == in:
			in = 0
		case in == '\'':
			if r == '$' {
				return nil // would be taken for a variable below
			}
			word.WriteRune(r)
		case in == 0 && (r == '\'' || r == '"'):
			in, began = r, true
		case in == 0 && (r == ' ' || r == '\t'):
			if began {
				text, sure := expand(word.String(), known)
				if !sure {
					return nil
				}
				all, began = append(all, text), false
				word.Reset()
			}
		case in == 0 && strings.ContainsRune("|&;<>()*?[]!#~", r), r == '\\', r == '`':
			return nil
		default:
			word.WriteRune(r)
			began = true
		}
	}
	if in != 0 {
		return nil
	}
	return all
}

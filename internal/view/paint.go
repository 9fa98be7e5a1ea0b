package view

// style is how a piece of text looks on a terminal with colours.
type style string

const (
	normal style = ""
	dim    style = "2"
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// painter puts styles on text, or not.
type painter bool

func (p painter) paint(s style, text string) string {
	if !p || s == normal || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// piece is text of one style.
type piece struct {
	style style
	text  string
}

// fit paints pieces on one line of at most max columns.
func (p painter) fit(max int, pieces ...piece) string {
	line := ""
	for i, c := range pieces {
		n := columns(c.text)
		if i < len(pieces)-1 && n == max {
			n++ // the ellipsis must say that more would follow
			c.text += " "
		}
		c.text = truncate(c.text, max)
		line += p.paint(c.style, c.text)
		if max -= n; max <= 0 {
			break
		}
	}
	return line
}

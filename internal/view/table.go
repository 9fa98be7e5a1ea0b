package view

import (
	"strings"

	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

// apart is the space between two columns of a table.
const apart = 2

// leastPart is the width, in columns, below which no column is narrowed within its words.
const leastPart = 16

// Table writes rows below their headers in columns that are as wide as their widest cell, two spaces
// apart. A row may have fewer cells than there are headers, or more; an empty table is its headers. Where
// that is wider than the terminal the widest columns are wrapped: between words, else those after the first, which
// has the names that are typed, within their words. Where even that leaves no room each row becomes a list of its
// cells.
func (p *Printer) Table(headers []string, rows [][]string) {
	grid := make([][]string, 0, len(rows)+1)
	var widths, words, parts []int
	for _, cells := range append([][]string{headers}, rows...) {
		row := make([]string, len(cells))
		for j, cell := range cells {
			row[j] = untrusted.Line(cell)
			if j == len(widths) {
				widths, words, parts = append(widths, 0), append(words, 0), append(parts, 0)
			}
			widths[j] = max(widths[j], text.Width(row[j]))
			for _, word := range strings.Fields(row[j]) {
				words[j] = max(words[j], text.Width(word))
			}
			if parts[j] = words[j]; j > 0 {
				parts[j] = min(words[j], leastPart)
			}
		}
		grid = append(grid, row)
	}
	if p.width > 0 && !narrow(widths, words, p.width) && !narrow(widths, parts, p.width) && len(rows) > 0 {
		p.records(grid)
		return
	}
	for i, row := range grid {
		for _, line := range besideOneAnother(row, widths) {
			if i == 0 {
				line = p.paint.paint(bold, line)
			}
			p.line(line)
		}
	}
}

// narrow makes the widest columns narrower, but none than its least width, until all fit; false: they
// cannot.
func narrow(widths, least []int, width int) bool {
	over := apart*(len(widths)-1) - width
	for _, n := range widths {
		over += n
	}
	for ; over > 0; over-- {
		widest := -1
		for j, n := range widths {
			if n > least[j] && (widest < 0 || n > widths[widest]) {
				widest = j
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
	}
	return true
}

// besideOneAnother sets a row's cells into their columns; one that is wrapped makes lines of its own.
func besideOneAnother(row []string, widths []int) []string {
	lines := []string{""}
	at := 0
	for j, cell := range row {
		for i, part := range strings.Split(text.WrapWithin(cell, widths[j]), "\n") {
			if i == len(lines) {
				lines = append(lines, "")
			}
			lines[i] = text.Pad(lines[i], at) + part
		}
		at += widths[j] + apart
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// records writes each row of a grid as lines of its own, one for each cell, with its header.
func (p *Printer) records(grid [][]string) {
	widest := 0
	for _, header := range grid[0] {
		widest = max(widest, text.Width(header))
	}
	for i, row := range grid[1:] {
		if i > 0 {
			p.Blank()
		}
		for j, cell := range row {
			header := ""
			if j < len(grid[0]) {
				header = grid[0][j]
			}
			if cell != "" {
				if room := p.width - widest - apart; room >= least {
					cell = text.WrapWithin(cell, room)
				}
				lead := p.paint.paint(bold, text.Pad(header, widest)) + strings.Repeat(" ", apart)
				p.line(strings.Join(settled{lead, cell}.lines(p.width), "\n"))
			}
		}
	}
}

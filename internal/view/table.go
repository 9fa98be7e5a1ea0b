package view

import "strings"

// apart is the space between two columns of a table.
const apart = 2

// Table writes rows below their headers in columns that are as wide as their widest cell, two spaces
// apart. A row may have fewer cells than there are headers, or more; an empty table is its headers. Where
// that is wider than the terminal the widest columns are wrapped, and where their words are too long for
// that each row becomes a list of its cells.
func (p *Printer) Table(headers []string, rows [][]string) {
	grid := make([][]string, 0, len(rows)+1)
	var widths, words []int
	for _, cells := range append([][]string{headers}, rows...) {
		row := make([]string, len(cells))
		for j, cell := range cells {
			row[j] = oneLine(cell)
			if j == len(widths) {
				widths, words = append(widths, 0), append(words, 0)
			}
			widths[j] = max(widths[j], columns(row[j]))
			for _, word := range strings.Fields(row[j]) {
				words[j] = max(words[j], columns(word))
			}
		}
		grid = append(grid, row)
	}
	if p.width > 0 && !narrow(widths, words, p.width) && len(rows) > 0 {
		p.records(grid)
		return
	}
	for i, row := range grid {
		for _, text := range besideOneAnother(row, widths) {
			if i == 0 {
				text = p.paint.paint(bold, text)
			}
			p.line(text)
		}
	}
}

// narrow makes the widest columns narrower, but none than its longest word, until all fit; false: they
// cannot.
func narrow(widths, words []int, width int) bool {
	over := apart*(len(widths)-1) - width
	for _, n := range widths {
		over += n
	}
	for ; over > 0; over-- {
		widest := -1
		for j, n := range widths {
			if n > words[j] && (widest < 0 || n > widths[widest]) {
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
	var lines []string
	at := 0
	for j, cell := range row {
		for i, part := range strings.Split(wrapLine(cell, widths[j], 0), "\n") {
			if i == len(lines) {
				lines = append(lines, "")
			}
			lines[i] = pad(lines[i], at) + part
		}
		at += widths[j] + apart
	}
	if len(lines) == 0 {
		return []string{""}
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
		widest = max(widest, columns(header))
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
				p.line(beside(p.paint.paint(bold, pad(header, widest))+strings.Repeat(" ", apart), cell, p.width))
			}
		}
	}
}

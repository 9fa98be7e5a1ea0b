package faultproxy

import (
	"encoding/xml"
	"strings"
)

// node is an XML element. Attributes and name spaces are left out: the SDK reads neither.
type node struct {
	XMLName xml.Name
	Text    string  `xml:",chardata"`
	Nodes   []*node `xml:",any"`
}

func parse(body []byte) *node {
	n := new(node)
	if err := xml.Unmarshal(body, n); err != nil {
		return &node{}
	}
	n.plain()
	return n
}

func (n *node) plain() {
	n.XMLName.Space = ""
	if len(n.Nodes) > 0 {
		n.Text = ""
	}
	for _, c := range n.Nodes {
		c.plain()
	}
}

func (n *node) bytes() []byte {
	body, err := xml.Marshal(n)
	if err != nil {
		return nil
	}
	return append([]byte(xml.Header), body...)
}

// at returns the descendant on a path, an empty one when there is none.
func (n *node) at(path ...string) *node {
	for _, name := range path {
		var next *node
		for _, c := range n.Nodes {
			if c.XMLName.Local == name {
				next = c
				break
			}
		}
		if next == nil {
			return &node{}
		}
		n = next
	}
	return n
}

func (n *node) text(path ...string) string { return strings.TrimSpace(n.at(path...).Text) }

// set replaces the text of a child, which it makes where it is missing.
func (n *node) set(name, text string) {
	if c := n.at(name); c.XMLName.Local != "" {
		c.Text, c.Nodes = text, nil
		return
	}
	n.Nodes = append(n.Nodes, &node{XMLName: xml.Name{Local: name}, Text: text})
}

// keep drops the children that f does not hold for.
func (n *node) keep(f func(*node) bool) {
	var kept []*node
	for _, c := range n.Nodes {
		if f(c) {
			kept = append(kept, c)
		}
	}
	n.Nodes = kept
}

// tags reads a tagSet.
func (n *node) tags() map[string]string {
	tags := map[string]string{}
	for _, t := range n.at("tagSet").Nodes {
		tags[t.text("key")] = t.text("value")
	}
	return tags
}

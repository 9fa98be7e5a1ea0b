package faultproxy

import (
	"fmt"
	"net/http"
	"path"
	"slices"
)

// describe shows the world as AWS would at this moment: late. A filter on the state of instances is not
// supported, since moto would apply it to what is true already.
func (p *Proxy) describe(req *request) answer {
	a := p.forward(req)
	if a.status != http.StatusOK {
		return a
	}
	doc := parse(a.body)
	switch req.action {
	case "DescribeInstances":
		p.describeInstances(doc)
	case "DescribeSecurityGroups":
		p.describeGroups(req, doc)
	case "DescribeNetworkInterfaces":
		doc.at("networkInterfaceSet").keep(func(n *node) bool { return !p.hidden(n.text("attachment", "instanceId")) })
	case "DescribeVolumes":
		doc.at("volumeSet").keep(func(n *node) bool {
			for _, at := range n.at("attachmentSet").Nodes {
				if p.hidden(at.text("instanceId")) {
					return false
				}
			}
			return true
		})
	}
	a.body = doc.bytes()
	return a
}

func (p *Proxy) describeInstances(doc *node) {
	for _, r := range doc.at("reservationSet").Nodes {
		set := r.at("instancesSet")
		set.keep(func(i *node) bool { return !p.hidden(i.text("instanceId")) })
		for _, i := range set.Nodes {
			id := i.text("instanceId")
			i.at("instanceState").set("name", p.state(id, i.text("instanceState", "name")))
			p.mu.Lock()
			ending, reachable := p.endings[id], p.options.Reachable
			p.mu.Unlock()
			if ending != "" {
				i.at("stateReason").set("code", ending)
				i.at("stateReason").set("message", ending+": Internal error on launch")
			}
			if public := i.text("ipAddress"); public != "" && p.options.Address != nil {
				i.set("ipAddress", p.options.Address(public))
			}
			if reachable && i.text("privateIpAddress") != "" {
				i.set("ipAddress", i.text("privateIpAddress"))
			}
		}
	}
	doc.at("reservationSet").keep(func(r *node) bool { return len(r.at("instancesSet").Nodes) > 0 })
}

func (p *Proxy) describeGroups(req *request, doc *node) {
	set := doc.at("securityGroupInfo")
	set.keep(func(g *node) bool { return !p.hidden(g.text("groupId")) })
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.ghosts {
		if p.options.Now().Before(g.until) && shownBy(req, g.item) && set.XMLName.Local != "" {
			set.Nodes = append(set.Nodes, g.item)
		}
	}
}

// shownBy tells whether a group meets the filters of a request.
func shownBy(req *request, item *node) bool {
	for n := 1; ; n++ {
		name := req.form.Get(fmt.Sprintf("Filter.%d.Name", n))
		if name == "" {
			return true
		}
		var wanted []string
		for m := 1; req.form.Has(fmt.Sprintf("Filter.%d.Value.%d", n, m)); m++ {
			wanted = append(wanted, req.form.Get(fmt.Sprintf("Filter.%d.Value.%d", n, m)))
		}
		if !meets(name, wanted, item) {
			return false
		}
	}
}

func meets(name string, wanted []string, item *node) bool {
	switch name {
	case "group-name":
		return slices.Contains(wanted, item.text("groupName"))
	case "group-id":
		return slices.Contains(wanted, item.text("groupId"))
	case "vpc-id":
		return slices.Contains(wanted, item.text("vpcId"))
	case "tag-key":
		for key := range item.tags() {
			if slices.Contains(wanted, key) {
				return true
			}
		}
		return false
	}
	if ok, _ := path.Match("tag:*", name); ok {
		return slices.Contains(wanted, item.tags()[name[len("tag:"):]])
	}
	return false
}

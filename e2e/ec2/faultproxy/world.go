package faultproxy

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// inventory is what AWS knows of its things and moto does not. It is guarded by the proxy's mutex.
type inventory struct {
	made    map[string]time.Time // by id
	phases  map[string][]phase   // of instances, in order
	tokens  map[string]launch
	busy    map[string]time.Time // groups, until when something is still in them
	ghosts  map[string]ghost     // groups that are deleted and still shown
	endings map[string]string    // instances: the code of why they ended
}

// phase is what an instance's state is shown as until a time.
type phase struct {
	until time.Time
	state string
}

// launch is what a client token was used for.
type launch struct {
	params string
	answer answer
}

type ghost struct {
	until time.Time
	item  *node
}

func newWorld() inventory {
	return inventory{
		made: map[string]time.Time{}, phases: map[string][]phase{}, tokens: map[string]launch{},
		busy: map[string]time.Time{}, ghosts: map[string]ghost{}, endings: map[string]string{},
	}
}

// hidden tells whether a thing is too young to be shown.
func (p *Proxy) hidden(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.made[id]
	return ok && p.options.Now().Sub(at) < p.options.Lag
}

// state is what an instance is shown to be; real is what moto says.
func (p *Proxy) state(id, real string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ph := range p.phases[id] {
		if p.options.Now().Before(ph.until) {
			return ph.state
		}
	}
	return real
}

// moved notes that an instance goes from one state through another to its new one.
func (p *Proxy) moved(id, from, through string, takes time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stale := p.options.Now().Add(p.options.Lag)
	p.phases[id] = []phase{{stale, from}, {stale.Add(takes), through}}
}

// serve answers a call without a fault.
func (p *Proxy) serve(req *request) answer {
	if mutating(req.action) {
		p.serial.Lock()
		defer p.serial.Unlock()
	}
	if a, refused := p.unknown(req); refused {
		return a
	}
	switch req.action {
	case "RunInstances":
		return p.run(req)
	case "CreateSecurityGroup":
		a := p.forward(req)
		p.born(parse(a.body).text("groupId"))
		return a
	case "DeleteSecurityGroup":
		return p.deleteGroup(req)
	case "TerminateInstances":
		return p.change(req, "shutting-down", func(o Options) time.Duration { return o.ShuttingDown })
	case "StopInstances":
		return p.change(req, "stopping", func(o Options) time.Duration { return o.Stopping })
	case "StartInstances":
		return p.change(req, "pending", func(o Options) time.Duration { return o.Pending })
	case "DescribeInstances", "DescribeSecurityGroups", "DescribeNetworkInterfaces", "DescribeVolumes":
		return p.describe(req)
	case "GetConsoleOutput":
		return p.console(req)
	}
	return p.forward(req)
}

func (p *Proxy) born(id string) {
	if id == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made[id] = p.options.Now()
}

// unknown refuses calls about what is not shown yet.
func (p *Proxy) unknown(req *request) (answer, bool) {
	for key, values := range req.form {
		id := values[0]
		group := strings.HasPrefix(id, "sg-")
		if !group && !strings.HasPrefix(id, "i-") || strings.HasPrefix(key, "Filter") || strings.HasPrefix(key, "Tag") || !p.hidden(id) {
			continue
		}
		if group {
			return failure(req, http.StatusBadRequest, "InvalidGroup.NotFound", "The security group '"+id+"' does not exist"), true
		}
		return failure(req, http.StatusBadRequest, "InvalidInstanceID.NotFound", "The instance ID '"+id+"' does not exist"), true
	}
	return answer{}, false
}

// run keeps client tokens: the same token and parameters give the same instance, however often.
func (p *Proxy) run(req *request) answer {
	token := req.form.Get("ClientToken")
	if token == "" {
		return p.launch(req)
	}
	key, params := req.region+"/"+token, req.form.Encode()
	p.mu.Lock()
	earlier, used := p.tokens[key]
	p.mu.Unlock()
	switch {
	case used && earlier.params != params:
		return failure(req, http.StatusBadRequest, "IdempotentParameterMismatch", "The client token has already been used with different parameters.")
	case used:
		return earlier.answer
	}
	a := p.launch(req)
	if a.status == http.StatusOK {
		p.mu.Lock()
		p.tokens[key] = launch{params, a}
		p.mu.Unlock()
	}
	return a
}

func (p *Proxy) launch(req *request) answer {
	// moto makes a group of an id that it does not know.
	for _, id := range groupsOf(req.form) {
		if len(p.ask(req, "DescribeSecurityGroups", map[string]string{"GroupId.1": id}).at("securityGroupInfo").Nodes) == 0 {
			return failure(req, http.StatusBadRequest, "InvalidGroup.NotFound", "The security group '"+id+"' does not exist")
		}
	}
	a := p.forward(req)
	if a.status != http.StatusOK {
		return a
	}
	for _, item := range parse(a.body).at("instancesSet").Nodes {
		id := item.text("instanceId")
		p.born(id)
		p.mu.Lock()
		p.phases[id] = []phase{{p.options.Now().Add(p.options.Lag + p.options.Pending), "pending"}}
		p.mu.Unlock()
	}
	return a
}

// groupsOf lists the groups that a launch names.
func groupsOf(form url.Values) []string {
	var ids []string
	for key, values := range form {
		if strings.Contains(key, "SecurityGroupId") || strings.HasPrefix(key, "SecurityGroup.") {
			ids = append(ids, values[0])
		}
	}
	return ids
}

// kill ends the instances of a launch, as AWS does when it finds no room for them after all.
func (p *Proxy) kill(req *request, launched answer) {
	for _, item := range parse(launched.body).at("instancesSet").Nodes {
		id := item.text("instanceId")
		p.ask(req, "TerminateInstances", map[string]string{"InstanceId.1": id})
		p.mu.Lock()
		p.endings[id] = "Server.InternalError"
		p.mu.Unlock()
	}
}

// change forwards a call that changes instances' states, and makes it take its time.
func (p *Proxy) change(req *request, through string, takes func(Options) time.Duration) answer {
	var ids []string
	for key, values := range req.form {
		if strings.HasPrefix(key, "InstanceId.") {
			ids = append(ids, values[0])
		}
	}
	before := map[string]string{} // as it is shown, of those that do change
	groups := map[string][]string{}
	truth := map[string]string{} // what is shown may be old; what may be done is not decided by it
	for _, id := range ids {
		for _, r := range p.ask(req, "DescribeInstances", map[string]string{"InstanceId.1": id}).at("reservationSet").Nodes {
			for _, i := range r.at("instancesSet").Nodes {
				truth[id] = i.text("instanceState", "name")
				before[id] = p.state(id, truth[id])
				for _, n := range i.at("networkInterfaceSet").Nodes {
					for _, g := range n.at("groupSet").Nodes {
						groups[id] = append(groups[id], g.text("groupId"))
					}
				}
			}
		}
		if req.action != "TerminateInstances" && truth[id] == "terminated" ||
			req.action == "StartInstances" && truth[id] == "stopped" && before[id] == "stopping" ||
			req.action == "StopInstances" && before[id] == "pending" {
			return failure(req, http.StatusBadRequest, "IncorrectInstanceState", fmt.Sprintf("The instance '%s' is not in a state from which it can be changed", id))
		}
		if truth[id] == "terminated" || truth[id] == "running" && req.action == "StartInstances" || truth[id] == "stopped" && req.action == "StopInstances" {
			delete(before, id)
		}
	}
	if len(ids) == 1 && truth[ids[0]] == "running" && req.action == "StartInstances" {
		return running(ids[0])
	}
	a := p.forward(req)
	if a.status != http.StatusOK {
		return a
	}
	for id, from := range before {
		p.mu.Lock()
		took := takes(p.options)
		if req.action == "TerminateInstances" {
			for _, g := range groups[id] {
				p.busy[g] = p.options.Now().Add(took)
			}
		}
		p.mu.Unlock()
		p.moved(id, from, through, took)
	}
	return a
}

// running answers a StartInstances that has nothing to start. moto would give the instance a new address.
func running(id string) answer {
	const state = "<code>16</code><name>running</name>"
	return answer{status: http.StatusOK, body: []byte("<StartInstancesResponse><instancesSet><item><instanceId>" + url.QueryEscape(id) + "</instanceId><currentState>" + state +
		"</currentState><previousState>" + state + "</previousState></item></instancesSet></StartInstancesResponse>")}
}

// deleteGroup refuses while something is in the group.
func (p *Proxy) deleteGroup(req *request) answer {
	id := req.form.Get("GroupId")
	used := false
	for _, n := range p.ask(req, "DescribeNetworkInterfaces", map[string]string{"Filter.1.Name": "group-id", "Filter.1.Value.1": id}).at("networkInterfaceSet").Nodes {
		used = used || n.text("networkInterfaceId") != ""
	}
	p.mu.Lock()
	used = used || p.options.Now().Before(p.busy[id])
	p.mu.Unlock()
	if used {
		return failure(req, http.StatusBadRequest, "DependencyViolation", "resource "+id+" has a dependent object")
	}
	items := p.ask(req, "DescribeSecurityGroups", map[string]string{"GroupId.1": id}).at("securityGroupInfo").Nodes
	a := p.forward(req)
	if a.status == http.StatusOK && len(items) == 1 {
		p.mu.Lock()
		p.ghosts[id] = ghost{p.options.Now().Add(p.options.Lag), items[0]}
		p.mu.Unlock()
	}
	return a
}

func (p *Proxy) console(req *request) answer {
	id := req.form.Get("InstanceId")
	p.mu.Lock()
	console := p.options.Console
	p.mu.Unlock()
	text := ""
	if console != nil {
		text = base64.StdEncoding.EncodeToString([]byte(console(id)))
	}
	return answer{status: http.StatusOK, body: []byte("<GetConsoleOutputResponse><instanceId>" + url.QueryEscape(id) + "</instanceId><timestamp>" +
		p.options.Now().UTC().Format(time.RFC3339) + "</timestamp><output>" + text + "</output></GetConsoleOutputResponse>")}
}

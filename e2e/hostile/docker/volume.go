package main

import (
	"fmt"
	"slices"
	"strings"
)

func (e *engine) listVolumes(c call) (string, error) {
	var rows []row
	for _, v := range e.Volumes {
		if c.matches(v.Name, "", v.Labels, nil) {
			rows = append(rows, row{Name: v.Name, Labels: joined(v.Labels), labels: v.Labels})
		}
	}
	if c.flags["q"] != nil {
		return render("{{.Name}}", rows...)
	}
	return render(c.one("format"), rows...)
}

func (e *engine) createVolume(c call) (string, error) {
	v := &volume{Labels: map[string]string{}}
	for _, l := range c.flags["label"] {
		k, value, _ := strings.Cut(l, "=")
		v.Labels[k] = value
	}
	if len(c.words) == 0 {
		return "", fail("a volume without a name is not for the tests")
	}
	v.Name = c.words[0]
	if !slices.ContainsFunc(e.Volumes, func(x *volume) bool { return x.Name == v.Name }) {
		e.Volumes = append(e.Volumes, v)
	}
	return v.Name + "\n", nil
}

func (e *engine) inspectVolumes(c call) (string, error) {
	var found []map[string]any
	for _, name := range c.words {
		i := slices.IndexFunc(e.Volumes, func(v *volume) bool { return v.Name == name })
		if i < 0 {
			return "", fail("Error response from daemon: get %s: no such volume", name)
		}
		found = append(found, map[string]any{"Name": name, "Labels": e.Volumes[i].Labels})
	}
	return render(c.one("format"), found...)
}

func (e *engine) removeVolumes(c call) (string, error) {
	for _, name := range c.words {
		if slices.ContainsFunc(e.Containers, func(x *container) bool { return slices.Contains(x.Mounts, name) }) {
			return "", fail("Error response from daemon: remove %s: volume is in use", name)
		}
		e.Volumes = slices.DeleteFunc(e.Volumes, func(v *volume) bool { return v.Name == name })
	}
	return "", nil
}

func (e *engine) inspectNetwork(c call) (string, error) {
	containers := map[string]any{}
	for i, x := range e.Containers {
		containers[x.ID] = map[string]any{"Name": x.Name, "IPv4Address": fmt.Sprintf("172.18.0.%d/16", i+2)}
	}
	return render(c.one("format"), map[string]any{
		"Name": "kind", "Id": "n1", "ID": "n1", "Driver": "bridge", "Labels": map[string]string{}, "Containers": containers,
		"IPAM": map[string]any{"Config": []map[string]any{{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}}},
	})
}

func (e *engine) port(c call) (string, error) {
	x := e.find(c.words[0])
	if x == nil {
		return "", fail("Error: No such container: %s", c.words[0])
	}
	if len(c.words) < 2 {
		var all string
		for inside, at := range x.Ports {
			all += inside + " -> " + at + "\n"
		}
		return all, nil
	}
	at, is := x.Ports[c.words[1]]
	if !is || x.State != "running" {
		return "", fail("Error: No public port '%s' published for %s", c.words[1], x.Name)
	}
	return at + "\n", nil
}

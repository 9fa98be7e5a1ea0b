package dockertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// answer takes a command that ends at once.
func (e *Engine) answer(args []string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := parse(args)
	switch f.verb {
	case "info":
		if strings.Contains(f.one("format"), "SystemTime") {
			return time.Now().Format(time.RFC3339Nano) + "\n", nil
		}
		return `{"ID":"engine","Name":"here","ServerVersion":"28.0.0","CgroupVersion":"2"}`, nil
	case "ps":
		return e.ps(f)
	case "inspect":
		return e.inspect(f)
	case "port":
		if c := e.find(f.args[0]); c != nil && c.Published != "" {
			return c.Published + "\n", nil
		}
		return "", failure("Error: No public port")
	case "run":
		return e.run(f)
	case "start", "stop", "rm":
		return e.change(f)
	case "volume ls", "volume create", "volume rm":
		return e.volume(f)
	case "image inspect":
		i, ok := e.images[f.args[0]]
		if !ok {
			return "", failure("Error: No such image: " + f.args[0])
		}
		raw, err := json.Marshal(map[string]any{"id": i.ID, "labels": i.Labels})
		return string(raw), err
	case "images":
		return lines(slices.DeleteFunc(slices.Sorted(maps.Keys(e.images)), func(name string) bool { return !strings.HasPrefix(name, f.args[0]+":") })), nil
	case "pull":
		i, ok := e.remote[f.args[0]]
		if !ok {
			return "", failure("Error response from daemon: manifest unknown")
		}
		e.images[f.args[0]] = i
		return f.args[0] + "\n", nil
	case "network ls":
		return "", nil
	case "network inspect":
		var names []string
		for _, c := range e.containers {
			if c.Network == f.args[0] && c.State == "running" {
				names = append(names, c.Name)
			}
		}
		return lines(names), nil
	}
	return "", failure("dockertest: unknown command: docker " + strings.Join(args, " "))
}

func (e *Engine) ps(f flags) (string, error) {
	out := ""
	for _, c := range e.containers {
		if !f.selects(c) {
			continue
		}
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
			labels = append(labels, key+"="+c.Labels[key])
		}
		row, err := json.Marshal(map[string]string{"id": c.ID, "name": c.Name, "image": c.Image, "state": c.State, "labels": strings.Join(labels, ",")})
		if err != nil {
			return "", err
		}
		out += string(row) + "\n"
	}
	return out, nil
}

func (e *Engine) inspect(f flags) (string, error) {
	out, format := "", f.one("format")
	for _, name := range f.args {
		c := e.find(name)
		if c == nil {
			return "", failure("Error: No such object: " + name)
		}
		for field, value := range map[string]string{"StartedAt": c.Started.Format(time.RFC3339Nano), "FinishedAt": c.Ended.Format(time.RFC3339Nano), "IPAddress": c.Address} {
			if !strings.Contains(format, field) {
				continue
			}
			if strings.Contains(format, ".Name") {
				out += "/" + c.Name + " "
			}
			out += value + "\n"
		}
	}
	return out, nil
}

func (e *Engine) run(f flags) (string, error) {
	if e.find(f.one("name")) != nil {
		return "", failure("docker: Error response from daemon: Conflict. The container name is already in use")
	}
	c := Container{Name: f.one("name"), Image: f.args[0], Labels: pairs(f.all["label"]), Network: f.one("network")}
	for _, v := range f.all["volume"] {
		name, _, _ := strings.Cut(v, ":")
		c.Volumes = append(c.Volumes, name)
	}
	e.add(c)
	return e.find(c.Name).ID + "\n", nil
}

func (e *Engine) change(f flags) (string, error) {
	for _, name := range f.args {
		c := e.find(name)
		switch {
		case c == nil:
			return "", failure("Error response from daemon: No such container: " + name)
		case f.verb == "start":
			c.State, c.Started = "running", time.Now()
		case f.verb == "stop":
			c.State = "exited"
		default:
			e.containers = slices.DeleteFunc(e.containers, func(o *Container) bool { return o == c })
			for _, v := range c.Volumes {
				if e.volumes[v] != nil && e.volumes[v].Anonymous {
					delete(e.volumes, v)
				}
			}
		}
	}
	return "", nil
}

func (e *Engine) volume(f flags) (string, error) {
	if f.verb == "volume ls" {
		names := e.volumeNames(f.filters("label"))
		if _, label, ok := strings.Cut(f.one("format"), ".Label \""); ok {
			for i, name := range names {
				names[i] = e.volumes[name].Labels[strings.TrimSuffix(label, "\"}}")]
			}
		}
		return lines(names), nil
	}
	name := f.args[0]
	v := e.volumes[name]
	switch {
	case f.verb == "volume create" && v == nil:
		e.volumes[name] = &Volume{Labels: pairs(f.all["label"])}
	case f.verb == "volume create":
	case v == nil:
		return "", failure("Error response from daemon: get " + name + ": no such volume")
	case v.Busy > 0, slices.ContainsFunc(e.containers, func(c *Container) bool { return slices.Contains(c.Volumes, name) }):
		v.Busy = max(v.Busy-1, 0)
		return "", failure("Error response from daemon: remove " + name + ": volume is in use - [1]")
	default:
		delete(e.volumes, name)
	}
	return name + "\n", nil
}

// volumeNames are those of the volumes with the labels; the caller holds e.mu.
func (e *Engine) volumeNames(labels []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(e.volumes)), func(name string) bool { return !carries(e.volumes[name].Labels, labels) })
}

// events prints the names of containers that are made, until ctx ends.
func (e *Engine) events(ctx context.Context, args []string, out io.Writer) error {
	labels, told := parse(args).filters("label"), map[string]bool{}
	for first := true; ; first = false {
		e.mu.Lock()
		grown := e.grown
		var made []string
		for _, c := range e.containers {
			if !told[c.ID] && !first && carries(c.Labels, labels) {
				made = append(made, c.Name)
			}
			told[c.ID] = true
		}
		e.mu.Unlock()
		if _, err := fmt.Fprint(out, lines(made)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-grown:
		}
	}
}

// exec plays a command in a container, or a pipe of the host's.
func (e *Engine) exec(argv []string, stdin string) (string, error) {
	name := ""
	if argv[0] == "docker" {
		argv = slices.DeleteFunc(slices.Clone(argv[2:]), func(arg string) bool { return arg == "-i" })
		name, argv = argv[0], argv[1:]
		if out, done, err := e.cat(name, argv); done {
			return out, err
		}
	}
	if e.Exec == nil {
		return "", nil
	}
	return e.Exec(name, argv, stdin)
}

// cat plays the command cat, and says what does not run.
func (e *Engine) cat(name string, argv []string) (out string, done bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.find(name)
	switch {
	case c == nil:
		return "", true, failure("Error response from daemon: No such container: " + name)
	case c.State != "running":
		return "", true, failure("Error response from daemon: Container " + name + " is not running")
	case argv[0] != "cat":
		return "", false, nil
	}
	for _, path := range argv[1:] {
		text, ok := c.Files[path]
		if !ok {
			return "", true, failure("cat: " + path + ": No such file or directory")
		}
		out += text
	}
	return out, true, nil
}

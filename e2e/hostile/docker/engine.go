package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"
)

// run carries out one command.
func (e *engine) run(args []string, in io.Reader) (string, error) {
	verb, rest := args[0], args[1:]
	if len(rest) > 0 && slices.Contains([]string{"image", "container", "volume", "network", "system", "context"}, verb) {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	c := parse(rest)
	switch verb {
	case "info":
		return render(c.one("format"), map[string]any{
			"ServerVersion": "27.0.1", "CgroupVersion": "2", "DockerRootDir": "/", "OSType": "linux", "Architecture": "x86_64", "NCPU": 4,
			"MemTotal": 8 << 30, "SystemTime": time.Now().UTC().Format(time.RFC3339Nano), "ID": "ENGINE:1", "Name": "engine", "OperatingSystem": "tests",
			"SecurityOptions": []string{}, "KernelVersion": "6.1", "Driver": "overlay2",
			"HTTPProxy": "", "HTTPSProxy": "", "NoProxy": "", "Runtimes": map[string]any{},
		})
	case "version":
		return render(c.one("format"), map[string]any{"Server": map[string]any{"Version": "27.0.1"}, "Client": map[string]any{"Version": "27.0.1"}})
	case "-v", "--version":
		return "Docker version 27.0.1, build tests\n", nil
	case "context show":
		return "default\n", nil
	case "context inspect":
		return render(c.one("format"), map[string]any{"Name": "default", "Endpoints": map[string]any{"docker": map[string]any{"Host": "unix:///var/run/docker.sock"}}})
	case "ps", "container ls":
		return e.ps(c)
	case "inspect", "container inspect":
		return e.inspect(c)
	case "images", "image ls":
		return e.listImages(c)
	case "image inspect":
		return e.inspectImages(c)
	case "run", "create", "container create":
		return e.create(verb, rest)
	case "start", "stop", "restart", "kill", "pause", "unpause":
		return e.change(verb, c)
	case "rm", "container rm":
		return e.remove(c)
	case "volume ls":
		return e.listVolumes(c)
	case "volume create":
		return e.createVolume(c)
	case "volume inspect":
		return e.inspectVolumes(c)
	case "volume rm":
		return e.removeVolumes(c)
	case "network ls":
		return "n1 kind\n", nil
	case "network inspect":
		return e.inspectNetwork(c)
	case "network create":
		return "n1\n", nil
	case "exec":
		return e.exec(rest, in)
	case "port":
		return e.port(c)
	case "logs":
		return `level=info msg="listening on [::]:5000"` + "\n", nil
	case "pull":
		return "", fail("Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io: no such host")
	case "save", "tag", "push", "rmi", "image rm", "load", "cp":
		return "", nil
	case "events":
		return "", nil
	}
	return "", fail("docker: '%s' is not a docker command of the tests", verb)
}

// call is a command's flags and words.
type call struct {
	flags map[string][]string
	words []string
}

func (c call) one(flag string) string {
	if v := c.flags[flag]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// alone are the flags without a value.
var alone = []string{"-a", "--all", "--no-trunc", "-q", "--quiet", "--force", "-f", "--volumes", "-v", "--no-prune", "--follow", "-d", "--detach", "-i", "--privileged", "--rm", "-t", "--tty", "--interactive", "--read-only", "--init", "--no-healthcheck"}

func parse(args []string) call {
	c := call{flags: map[string][]string{}}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch name, value, joined := strings.Cut(strings.TrimLeft(a, "-"), "="); {
		case !strings.HasPrefix(a, "-"):
			c.words = append(c.words, a)
		case joined:
			c.flags[name] = append(c.flags[name], value)
		case slices.Contains(alone, a) || i+1 == len(args):
			c.flags[name] = append(c.flags[name], "true")
		default:
			i++
			c.flags[name] = append(c.flags[name], args[i])
		}
	}
	return c
}

// row is one line of a list as the client's templates see it.
type row struct {
	ID, Names, Name, Image, State, Status, Labels, Repository, Tag, Digest, CreatedAt string

	labels map[string]string
}

// Label is the template's {{.Label "key"}}.
func (r row) Label(key string) string { return r.labels[key] }

func joined(labels map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, k+"="+labels[k])
	}
	return strings.Join(all, ",")
}

// render prints each value by a client's template, a line each.
func render[T any](format string, values ...T) (string, error) {
	if format == "" || format == "json" {
		format = "{{json .}}"
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"json":    func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
		"println": fmt.Sprintln, "join": strings.Join,
		"lower": strings.ToLower, "upper": strings.ToUpper,
	}).Parse(strings.TrimPrefix(format, "table "))
	if err != nil {
		return "", fail("template parsing error: %v", err)
	}
	var out strings.Builder
	for _, v := range values {
		if err := t.Execute(&out, v); err != nil {
			return "", fail("template: %v", err)
		}
		out.WriteString("\n")
	}
	return out.String(), nil
}

// matches tells whether labels, name and the like meet the filters.
func (c call) matches(name, state string, labels map[string]string, mounts []string) bool {
	var named, inState []bool
	for _, f := range c.flags["filter"] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "label":
			k, v, valued := strings.Cut(value, "=")
			have, is := labels[k]
			if !is || valued && have != v {
				return false
			}
		case "name":
			is, err := regexp.MatchString(value, "/"+name)
			named = append(named, err == nil && is)
		case "status":
			inState = append(inState, value == state)
		case "volume":
			if !slices.Contains(mounts, value) {
				return false
			}
		}
	}
	return (len(named) == 0 || slices.Contains(named, true)) && (len(inState) == 0 || slices.Contains(inState, true))
}

func (e *engine) ps(c call) (string, error) {
	var rows []row
	all := c.flags["a"] != nil || c.flags["all"] != nil
	for _, x := range e.Containers {
		if (all || x.State == "running") && c.matches(x.Name, x.State, x.Labels, x.Mounts) {
			rows = append(rows, row{ID: x.ID, Names: x.Name, Name: x.Name, Image: x.Image, State: x.State, Status: "Up", Labels: joined(x.Labels), CreatedAt: x.Started, labels: x.Labels})
		}
	}
	if c.flags["q"] != nil || c.flags["quiet"] != nil {
		return render("{{.ID}}", rows...)
	}
	return render(c.one("format"), rows...)
}

func (e *engine) find(name string) *container {
	for _, x := range e.Containers {
		if x.Name == strings.TrimPrefix(name, "/") || x.ID == name {
			return x
		}
	}
	return nil
}

// detail is a container as `docker inspect` shows it.
func (x *container) detail(i int) map[string]any {
	ports := map[string]any{}
	for inside, at := range x.Ports {
		host, port, _ := strings.Cut(at, ":")
		ports[inside] = []map[string]any{{"HostIp": host, "HostPort": port}}
	}
	network := map[string]any{"IPAddress": fmt.Sprintf("172.18.0.%d", i+2), "GlobalIPv6Address": "", "Gateway": "172.18.0.1", "NetworkID": "n1"}
	return map[string]any{
		"Id": x.ID, "ID": x.ID, "Name": "/" + x.Name, "Image": x.ImageID, "Created": x.Started,
		"Config":          map[string]any{"Labels": x.Labels, "Image": x.Image, "Env": []string{}},
		"State":           map[string]any{"Status": x.State, "Running": x.State == "running", "StartedAt": x.Started, "Pid": 1, "ExitCode": 0},
		"NetworkSettings": map[string]any{"Networks": map[string]any{"kind": network}, "Ports": ports},
		"HostConfig":      map[string]any{"Privileged": true}, "Mounts": []any{},
	}
}

func (e *engine) inspect(c call) (string, error) {
	var found []map[string]any
	for _, name := range c.words {
		i := slices.IndexFunc(e.Containers, func(x *container) bool { return x.Name == strings.TrimPrefix(name, "/") || x.ID == name })
		if i < 0 {
			return "", fail("Error: No such object: %s", name)
		}
		found = append(found, e.Containers[i].detail(i))
	}
	format := c.one("format")
	if format == "" {
		format = c.one("f")
	}
	if format == "" {
		raw, err := json.Marshal(found)
		return string(raw) + "\n", err
	}
	return render(format, found...)
}

func (e *engine) imageOf(name string) *image {
	for _, x := range e.Images {
		if x.ID == name || slices.Contains(x.Names, name) {
			return x
		}
	}
	return nil
}

func (e *engine) listImages(c call) (string, error) {
	var rows []row
	for _, x := range e.Images {
		for _, name := range x.Names {
			repository, tag, _ := strings.Cut(name, ":")
			if c.matches(name, "", x.Labels, nil) && (len(c.words) == 0 || slices.Contains(c.words, name)) {
				rows = append(rows, row{ID: x.ID, Repository: repository, Tag: tag, labels: x.Labels})
			}
		}
	}
	return render(c.one("format"), rows...)
}

func (e *engine) inspectImages(c call) (string, error) {
	var found []map[string]any
	for _, name := range c.words {
		x := e.imageOf(name)
		if x == nil {
			return "", fail("Error response from daemon: No such image: %s", name)
		}
		found = append(found, map[string]any{
			"ID": x.ID, "Id": x.ID, "RepoTags": x.Names, "RepoDigests": []string{}, "Architecture": "amd64", "Os": "linux",
			"Created": "2026-01-01T00:00:00Z", "Config": map[string]any{"Labels": x.Labels},
		})
	}
	return render(c.one("format"), found...)
}

func (e *engine) id() string {
	e.Next++
	return fmt.Sprintf("%064x", e.Next)
}

// create makes a container, of `run` a running one.
func (e *engine) create(verb string, args []string) (string, error) {
	c := parse(args)
	x := &container{ID: e.id(), Name: c.one("name"), State: "created", Labels: map[string]string{}, Ports: map[string]string{}, Started: time.Now().UTC().Format(time.RFC3339Nano)}
	if x.Name == "" {
		x.Name = "some-" + x.ID[60:]
	}
	if e.find(x.Name) != nil {
		return "", fail("Error response from daemon: Conflict. The container name %q is already in use", "/"+x.Name)
	}
	if len(c.words) > 0 {
		x.Image = c.words[0]
	}
	if i := e.imageOf(x.Image); i != nil {
		x.ImageID = i.ID
	}
	for _, l := range append(c.flags["label"], c.flags["l"]...) {
		k, v, _ := strings.Cut(l, "=")
		x.Labels[k] = v
	}
	for _, p := range append(c.flags["publish"], c.flags["p"]...) {
		inside := p[strings.LastIndex(p, ":")+1:]
		x.Ports[strings.TrimSuffix(inside, "/TCP")+"/tcp"] = "127.0.0.1:5999"
	}
	for _, v := range c.flags["volume"] {
		if name, _, named := strings.Cut(v, ":"); named && !strings.HasPrefix(name, "/") {
			x.Mounts = append(x.Mounts, name)
		}
	}
	if verb == "run" {
		x.State = "running"
	}
	if c.flags["rm"] != nil {
		e.store(x, c.words)
		return "", nil // it has ended by now
	}
	e.Containers = append(e.Containers, x)
	return x.ID + "\n", nil
}

// store does what the mirror's store.sh does, IMAGE sh REPOSITORY TAG NAME ID: it notes an image in the inventory.
func (e *engine) store(x *container, words []string) {
	if len(words) == 6 && words[1] == "sh" {
		e.Files[x.place("/var/lib/registry/labctl.images")] += words[4] + " " + words[5] + "\n"
	}
}

func (e *engine) change(verb string, c call) (string, error) {
	for _, name := range c.words {
		x := e.find(name)
		if x == nil {
			return "", fail("Error response from daemon: No such container: %s", name)
		}
		switch verb {
		case "start", "restart", "unpause":
			x.State, x.Started = "running", time.Now().UTC().Format(time.RFC3339Nano)
		case "stop", "kill":
			x.State = "exited"
		case "pause":
			x.State = "paused"
		}
	}
	return strings.Join(c.words, "\n") + "\n", nil
}

func (e *engine) remove(c call) (string, error) {
	for _, name := range c.words {
		x := e.find(name)
		if x == nil {
			return "", fail("Error: No such container: %s", name)
		}
		e.Containers = slices.DeleteFunc(e.Containers, func(y *container) bool { return y == x })
	}
	return "", nil
}

package draft

import (
	"slices"
	"strconv"
	"strings"
)

// kubectl is a command line of kubectl.
type kubectl struct {
	verb  string
	args  []string
	flags map[string][]string
}

// longFlags are the names of short ones. withoutValue take none.
var (
	longFlags    = map[string]string{"n": "namespace", "filename": "f", "l": "labels", "selector": "labels", "A": "all-namespaces"}
	withoutValue = []string{"ignore-not-found", "force", "now", "wait", "all", "all-namespaces", "overwrite", "save-config"}
)

// parseKubectl reads a command line; it reports false where it holds what it does not know how to read.
func parseKubectl(words []string) (kubectl, bool) {
	c := kubectl{flags: map[string][]string{}}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "--" {
			c.flags["--"] = words[i+1:]
			break
		}
		if !strings.HasPrefix(w, "-") || w == "-" {
			if c.verb == "" {
				c.verb = w
			} else {
				c.args = append(c.args, w)
			}
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(w, "-"), "=")
		if long := longFlags[name]; long != "" {
			name = long
		}
		if !given && !slices.Contains(withoutValue, name) {
			if i++; i == len(words) {
				return c, false
			}
			value = words[i]
		}
		c.flags[name] = append(c.flags[name], value)
	}
	return c, c.verb != ""
}

func (c kubectl) has(flag string) bool { return c.flags[flag] != nil }

// only reports whether there are no other flags, so that the command means no more than they say.
func (c kubectl) only(flags ...string) bool {
	for name := range c.flags {
		if !slices.Contains(flags, name) {
			return false
		}
	}
	return true
}

func (c kubectl) flag(name string) string {
	if all := c.flags[name]; len(all) == 1 {
		return all[0]
	}
	return ""
}

func (c kubectl) namespace() string { return c.flag("namespace") }

// object is what `kubectl create` or `kubectl run` makes, as kubectl itself makes it; nil where that is not certain.
func (c kubectl) object() map[string]any {
	if c.verb == "run" && len(c.args) == 1 {
		return c.pod(c.args[0])
	}
	if c.verb != "create" || len(c.args) < 2 {
		return nil
	}
	name := c.args[len(c.args)-1]
	switch kind := strings.Join(c.args[:len(c.args)-1], " "); kind {
	case "namespace", "ns":
		if c.only() {
			return c.make("v1", "Namespace", name)
		}
	case "serviceaccount", "sa":
		if c.only("namespace") {
			return c.make("v1", "ServiceAccount", name)
		}
	case "configmap", "cm", "secret generic":
		return c.data(kind, name)
	case "deployment", "deploy":
		return c.deployment(name)
	case "service clusterip", "svc clusterip":
		return c.service(name)
	}
	return nil
}

func (c kubectl) make(version, kind, name string) map[string]any {
	meta := map[string]any{"name": name}
	if ns := c.namespace(); ns != "" {
		meta["namespace"] = ns
	}
	return map[string]any{"apiVersion": version, "kind": kind, "metadata": meta}
}

func (c kubectl) data(kind, name string) map[string]any {
	if !c.only("namespace", "from-literal") {
		return nil
	}
	field, object := "data", c.make("v1", "ConfigMap", name)
	if kind == "secret generic" {
		field, object = "stringData", c.make("v1", "Secret", name)
	}
	values := map[string]any{}
	for _, pair := range c.flags["from-literal"] {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil
		}
		values[key] = value
	}
	object[field] = values
	return object
}

// container is that of --image and --port. kubectl names a Deployment's by its image.
func (c kubectl) container(name string) map[string]any {
	image := c.flag("image")
	if image == "" {
		return nil
	}
	if name == "" {
		name = image[strings.LastIndex(image, "/")+1:]
		name, _, _ = strings.Cut(name, "@")
		name, _, _ = strings.Cut(name, ":")
	}
	container := map[string]any{"name": name, "image": image}
	if port, err := strconv.Atoi(c.flag("port")); err == nil {
		container["ports"] = []any{map[string]any{"containerPort": port}}
	} else if c.has("port") {
		return nil
	}
	return container
}

func (c kubectl) deployment(name string) map[string]any {
	container := c.container("")
	replicas := 1
	if c.has("replicas") {
		var err error
		if replicas, err = strconv.Atoi(c.flag("replicas")); err != nil {
			return nil
		}
	}
	if container == nil || !c.only("namespace", "image", "port", "replicas") {
		return nil
	}
	object := c.make("apps/v1", "Deployment", name)
	labels := map[string]any{"app": name}
	object["metadata"].(map[string]any)["labels"] = labels
	object["spec"] = map[string]any{
		"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": []any{container}}},
	}
	return object
}

func (c kubectl) pod(name string) map[string]any {
	container := c.container(name)
	if container == nil || !c.only("namespace", "image", "port", "labels", "restart", "--") {
		return nil
	}
	labels := map[string]any{"run": name}
	if c.has("labels") {
		labels = map[string]any{}
		for pair := range strings.SplitSeq(c.flag("labels"), ",") {
			key, value, ok := strings.Cut(pair, "=")
			if !ok {
				return nil
			}
			labels[key] = value
		}
	}
	if command := c.flags["--"]; command != nil {
		container["args"] = command
	}
	spec := map[string]any{"containers": []any{container}}
	if c.has("restart") {
		spec["restartPolicy"] = c.flag("restart")
	}
	object := c.make("v1", "Pod", name)
	object["metadata"].(map[string]any)["labels"] = labels
	object["spec"] = spec
	return object
}

func (c kubectl) service(name string) map[string]any {
	from, to, _ := strings.Cut(c.flag("tcp"), ":")
	port, err := strconv.Atoi(from)
	if to == "" {
		to = from
	}
	target, err2 := strconv.Atoi(to)
	if err != nil || err2 != nil || !c.only("namespace", "tcp") {
		return nil
	}
	object := c.make("v1", "Service", name)
	object["spec"] = map[string]any{
		"selector": map[string]any{"app": name},
		"ports":    []any{map[string]any{"name": from + "-" + to, "port": port, "targetPort": target, "protocol": "TCP"}},
	}
	return object
}

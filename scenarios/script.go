package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/text"
	"github.com/labctl/labctl/internal/untrusted"
)

const (
	// scriptTail is how many bytes are kept of what a script prints: its last ones.
	scriptTail = 4 << 10
	// maxSaid bounds what is shown of a script's last line.
	maxSaid = 200
	// scriptFolder is where the script lies in its pod.
	scriptFolder = "/labctl"
	nodeKubectl  = "/usr/bin/kubectl"
)

// runScript runs the words after the fourth for $1 seconds and keeps the last $2 bytes of what they print. After that stands
// a line with $3 and their exit code. What the script has left in the background is ended, or it would hold the pipe open:
// in a pod this shell is process 1, and nobody else's processes are there. What still holds the pipe open costs the
// last line, and not the answer.
const runScript = `seconds=$1 most=$2 word=$3 pipe=$4
shift 4
mkfifo "$pipe" || exit 1
tail -c "$most" <"$pipe" &
reader=$!
if command -v timeout >/dev/null 2>&1; then timeout -s KILL "$seconds" "$@"; else "$@"; fi </dev/null >"$pipe" 2>&1
code=$?
if [ "$$" = 1 ]; then
  for p in /proc/[0-9]*; do
    p=${p#/proc/}
    [ "$p" = 1 ] || [ "$p" = "$reader" ] || kill -KILL "$p" 2>/dev/null
  done
fi
(sleep 2; kill -KILL "$reader") </dev/null >/dev/null 2>&1 &
wait "$reader"
printf '\n%s:%s\n' "$word" "$code"`

func (p *probeRun) scriptArgv() []string { return p.scriptIn("/tmp", scriptFolder+"/script") }

// scriptIn is the command that runs the script which lies in file, with a folder that it may write to.
func (p *probeRun) scriptIn(tmp, file string) []string {
	argv := []string{"/bin/sh", "-c", runScript, "sh", strconv.Itoa(int(p.Within.Seconds())), strconv.Itoa(scriptTail), p.nonce, tmp + "/." + p.nonce}
	return append(append(argv, p.Script.Shell...), file)
}

// parseScript takes apart what runScript has printed: 0 is yes and 1 is no. From any other exit code nothing follows.
func (p *probeRun) parseScript(printed string) (map[string]any, error) {
	output, exit, found := statusLine(strings.ToValidUTF8(printed, "\uFFFD"), p.nonce+":")
	said := lastLine(output)
	switch {
	case !found:
		return nil, errors.New("it did not end, or its image lacks mkfifo or tail: " + lastLine(printed))
	case exit == 0 || exit == 1:
		return map[string]any{"passed": exit == 0, "said": said}, nil
	case exit == killed:
		return nil, fmt.Errorf("it did not end within %s, or was killed", p.Within)
	case crashSignals[exit] != "":
		return nil, fmt.Errorf("it crashed: %s", crashSignals[exit])
	case exit == 127 || exit == 126:
		return nil, fmt.Errorf("it, or a command of it, could not be run (exit code %d): %s", exit, said)
	}
	return nil, fmt.Errorf("it ended with exit code %d, which is neither yes (0) nor no (1): %s", exit, said)
}

// lastLine is the last line that says something, made safe to show.
func lastLine(output string) string {
	output = strings.TrimSpace(output)
	return text.Shorten(untrusted.Line(output[strings.LastIndex(output, "\n")+1:]), maxSaid)
}

// scriptValues is what conditions see of the scripts that were run: script.NAME.
func scriptValues(snapshot kube.Snapshot, keys []string) cty.Value {
	values := map[string]cty.Value{}
	for _, key := range keys {
		name, is := strings.CutPrefix(key, "script.")
		for _, o := range snapshot[probeQuery(key)].Objects {
			if passed, known := o.Object["passed"].(bool); is && known {
				values[name] = cty.ObjectVal(map[string]cty.Value{"passed": cty.BoolVal(passed)})
			}
		}
	}
	return cty.ObjectVal(values)
}

// said is the last line that each of a condition's scripts printed.
func (e *evaluator) said(c *labfile.Condition) (all []string) {
	for _, key := range c.Probes {
		for _, o := range e.snapshot[probeQuery(key)].Objects {
			if said, _ := o.Object["said"].(string); said != "" {
				all = append(all, strings.TrimPrefix(key, "script.")+": "+said)
			}
		}
	}
	return all
}

// addScript has a Job's pod run a script: as the account of its own, with the script's text from a ConfigMap, and with the
// node's kubectl where that is wanted. POD_NAMESPACE is where kubectl looks without -n, as on a learner's command line.
func (p *probeRun) addScript(name string, container, spec map[string]any) {
	mounts := []any{
		map[string]any{"name": "script", "mountPath": scriptFolder, "readOnly": true},
		map[string]any{"name": "tmp", "mountPath": "/tmp"},
	}
	volumes := []any{
		map[string]any{"name": "script", "configMap": map[string]any{"name": name}},
		map[string]any{"name": "tmp", "emptyDir": map[string]any{"sizeLimit": "64Mi"}},
	}
	if p.Script.Kubectl {
		mounts = append(mounts, map[string]any{"name": "kubectl", "mountPath": nodeKubectl, "readOnly": true})
		volumes = append(volumes, map[string]any{"name": "kubectl", "hostPath": map[string]any{"path": nodeKubectl, "type": "File"}})
	}
	container["volumeMounts"], spec["volumes"] = mounts, volumes
	container["workingDir"] = "/tmp"
	container["env"] = []any{map[string]any{"name": "HOME", "value": "/tmp"}, map[string]any{"name": "POD_NAMESPACE", "value": "default"}}
	container["resources"].(map[string]any)["limits"] = map[string]any{"cpu": "1", "memory": "256Mi"}
	spec["serviceAccountName"], spec["automountServiceAccountToken"] = name, true
}

// scriptKinds are what is made for a script beside its Job. A run that was killed leaves it to the scenario's reset.
func (sc *compiled) scriptKinds() []string {
	if !slices.ContainsFunc(sc.s.Probes, func(p *labfile.Probe) bool { return p.Script != nil }) {
		return nil
	}
	return []string{
		"ConfigMap", "ServiceAccount", "Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io",
		"ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io",
	}
}

// prepareScript makes what a script's pod needs, and waits until its rights have come into effect. All of it is this run's
// alone, so that two that run at the same time do not take it from each other. remove is to be called in any case.
func (p *probeRun) prepareScript(ctx context.Context, name string) (remove func(), err error) {
	var made []*unstructured.Unstructured
	remove = func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		for _, o := range slices.Backward(made) {
			_ = p.c.Delete(end, o) // a reset removes what stays
		}
	}
	objs, err := p.scriptObjects(ctx, name)
	if err != nil {
		return remove, err
	}
	for _, o := range objs {
		live, _, err := p.c.Create(ctx, o, p.sc.marks())
		if kube.MissingNamespace(err) != "" || apierrors.IsNotFound(err) {
			continue // what is not there yet cannot be looked at either
		}
		if err != nil {
			return remove, err
		}
		made = append(made, live)
	}
	return remove, p.awaitRights(ctx, name, made)
}

// awaitRights waits until the API server grants what was bound: authorizers see a new role a moment later.
func (p *probeRun) awaitRights(ctx context.Context, name string, made []*unstructured.Unstructured) error {
	for _, m := range p.scriptMay() {
		_, namespace, err := p.place(ctx, m)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(made, func(o *unstructured.Unstructured) bool {
			return strings.HasSuffix(o.GetKind(), "RoleBinding") && o.GetNamespace() == namespace
		}) {
			continue // its namespace is not there
		}
		review := kube.Review{
			User: "system:serviceaccount:" + scriptNamespace + ":" + name, Verb: m.Verb, Resource: m.Resource, Group: m.Group,
			Groups:      []string{"system:serviceaccounts", "system:serviceaccounts:" + scriptNamespace, "system:authenticated"},
			Subresource: m.Subresource, Name: m.Object, Namespace: m.Namespace,
		}
		err = kube.Retry(ctx, func(err error) bool { return errors.Is(err, errNotGranted) }, func(ctx context.Context) error {
			allowed, err := p.c.Allowed(ctx, review)
			if err == nil && !allowed {
				return fmt.Errorf("%w: %s", errNotGranted, m.Text)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var errNotGranted = errors.New("what its account may do has not come into effect")

// scriptMay is what the script's account may do; of the default as much as tells that it has come into effect.
func (p *probeRun) scriptMay() []labfile.Permission {
	if len(p.Script.May) > 0 {
		return p.Script.May
	}
	return []labfile.Permission{{Text: "list pods in *", Verb: "list", Resource: "pods"}, {Text: "list nodes", Verb: "list", Resource: "nodes"}}
}

// scriptObjects are the script's text, its account, and the roles and bindings that let that do what it may.
func (p *probeRun) scriptObjects(ctx context.Context, name string) ([]*unstructured.Unstructured, error) {
	objs := []*unstructured.Unstructured{
		p.scriptObject("v1", "ConfigMap", scriptNamespace, name, map[string]any{"data": map[string]any{"script": p.Script.Text}}),
		p.scriptObject("v1", "ServiceAccount", scriptNamespace, name, nil),
	}
	const rbac = "rbac.authorization.k8s.io"
	bind := func(namespace, role, as string) {
		kind := "RoleBinding"
		if namespace == "" {
			kind = "ClusterRoleBinding"
		}
		objs = append(objs, p.scriptObject(rbac+"/v1", kind, namespace, as, map[string]any{
			"roleRef":  map[string]any{"apiGroup": rbac, "kind": "ClusterRole", "name": role},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": scriptNamespace}},
		}))
	}
	if len(p.Script.May) == 0 {
		bind("", "view", name+"-view")
		nodes := map[string]any{"apiGroups": []any{""}, "resources": []any{"nodes"}, "verbs": []any{"get", "list", "watch"}}
		objs = append(objs, p.scriptObject(rbac+"/v1", "ClusterRole", "", name, map[string]any{"rules": []any{nodes}}))
		bind("", name, name)
		return objs, nil
	}
	rules, places := map[string][]any{}, []string{}
	for _, m := range p.Script.May {
		group, namespace, err := p.place(ctx, m)
		if err != nil {
			return nil, err
		}
		resource := m.Resource
		if m.Subresource != "" {
			resource += "/" + m.Subresource
		}
		rule := map[string]any{"apiGroups": []any{group}, "resources": []any{resource}, "verbs": []any{m.Verb}}
		if m.Object != "" {
			rule["resourceNames"] = []any{m.Object}
		}
		if !slices.Contains(places, namespace) {
			places = append(places, namespace)
		}
		rules[namespace] = append(rules[namespace], rule)
	}
	for i, namespace := range places {
		role := fmt.Sprintf("%s-%d", name, i)
		objs = append(objs, p.scriptObject(rbac+"/v1", "ClusterRole", "", role, map[string]any{"rules": rules[namespace]}))
		bind(namespace, role, role)
	}
	return objs, nil
}

// place is the API group that a permission speaks of, and the namespace; "" for all of them, and for what is in none.
func (p *probeRun) place(ctx context.Context, m labfile.Permission) (group, namespace string, err error) {
	if m.Resource == "*" {
		return cmp.Or(m.Group, "*"), m.Namespace, nil
	}
	kind, err := p.c.KindOf(ctx, m.Resource, m.Group)
	if err != nil || !kind.Namespaced {
		return kind.Resource.Group, "", err
	}
	return kind.Resource.Group, m.Namespace, nil
}

// scriptObject is an object that carries the run's mark.
func (p *probeRun) scriptObject(version, kind, namespace, name string, rest map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": version, "kind": kind}}
	for field, value := range rest {
		o.Object[field] = value
	}
	o.SetNamespace(namespace)
	o.SetName(name)
	o.SetLabels(map[string]string{labelProbe: p.nonce})
	return o
}

package scenarios

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// NodeRunner is a Cluster that can run commands on its nodes.
type NodeRunner interface {
	// OnNode runs a command that only looks on a node, and returns what it wrote to stdout. It takes a node's whole name,
	// or the name without the cluster's.
	OnNode(ctx context.Context, node string, argv ...string) (string, error)
}

const (
	// maxProbeOutput bounds what a command of a probe may print, and a log that a probe reads.
	maxProbeOutput = 64 << 10
	// probesAtOnce bounds how many probes of a scenario run at a time: one SSH connection carries ten commands.
	probesAtOnce = 4
	// probeMargin is what making a pod, or reaching a node, may take besides the commands.
	probeMargin = 20 * time.Second
)

// probeScript runs $1 and then, as a control, $2, for $3 seconds each, and keeps $4 bytes of what the first one prints.
// After that stands a line with $5 and its exit code, and one with $5 and that of the control. Where there is no timeout
// command, the place's own deadline ends what hangs.
const probeScript = `run() {
  if command -v timeout >/dev/null 2>&1; then timeout -s KILL "$2" sh -c "$1"; else sh -c "$1"; fi
}
{ run "$1" "$3" </dev/null 2>&1; printf '\n%s:%s\n' "$5" "$?"; } | head -c "$4"
if [ -n "$2" ]; then run "$2" "$3" </dev/null >/dev/null 2>&1; printf '\n%s control:%s\n' "$5" "$?"; fi`

// probeRun is one run of a probe.
type probeRun struct {
	*labfile.Probe
	sc    *compiled
	c     *kube.Client
	nonce string
	// beside, where set, makes what is to go with the Job of the probe's pod, before that is awaited.
	beside func(ctx context.Context, job *unstructured.Unstructured) error
}

// probeQuery is the place of a probe's result in a snapshot, by the probe's key.
func probeQuery(name string) kube.Query { return kube.Query{Kind: "Probe", Name: name} }

// probe runs the probes that conditions refer to, side by side, and adds to the snapshot what came of them. Until then
// those conditions are unprobed.
func (sc *compiled) probe(ctx context.Context, c *kube.Client, snapshot kube.Snapshot, conditions []*labfile.Condition) {
	var mu sync.Mutex
	var all sync.WaitGroup
	room := make(chan struct{}, probesAtOnce)
	for _, p := range sc.s.Probes {
		if !slices.ContainsFunc(conditions, func(c *labfile.Condition) bool { return slices.Contains(c.Probes, p.Key()) }) {
			continue
		}
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			run := &probeRun{Probe: p, sc: sc, c: c, nonce: newNonce()}
			u := run.result(ctx)
			mu.Lock()
			defer mu.Unlock()
			snapshot[probeQuery(p.Key())] = u
		})
	}
	all.Wait()
}

func newNonce() string {
	raw := make([]byte, 8)
	_, _ = rand.Read(raw) // it never fails
	return hex.EncodeToString(raw)
}

// result is what came of the probe: an object with output and exit, none where there is no pod to look at, or an error
// that says why it cannot be told.
func (p *probeRun) result(ctx context.Context) kube.Update {
	ctx, cancel := context.WithTimeout(ctx, p.Takes()+probeMargin)
	defer cancel()
	var found map[string]any
	var err error
	switch {
	case p.Image != "":
		found, err = p.inOwnPod(ctx)
	case p.Node != "":
		found, err = p.onNode(ctx, p.Node, nil)
	case p.Log:
		found, err = p.logs(ctx)
	default:
		found, err = p.inPod(ctx)
	}
	switch {
	case errors.Is(err, errNoPod):
		return kube.Update{Synced: true}
	case err != nil:
		return kube.Update{Err: fmt.Errorf("%s: %w", p, err)}
	}
	return kube.Update{Synced: true, Objects: []*unstructured.Unstructured{{Object: found}}}
}

// argv is the command that runs the probe.
func (p *probeRun) argv() []string {
	if p.Script != nil {
		return p.scriptArgv()
	}
	seconds := strconv.Itoa(int(p.Within.Seconds()))
	return []string{"sh", "-c", probeScript, "sh", p.Run, p.Control, seconds, strconv.Itoa(maxProbeOutput), p.nonce}
}

// killed is the exit code of a command that was ended by SIGKILL, as at its deadline.
const killed = 128 + 9

// crashSignals are the exit codes of commands that crashed: nothing follows from one. A command that was ended by SIGTERM may
// have been so by its own timeout.
var crashSignals = map[int]string{128 + 4: "SIGILL", 128 + 6: "SIGABRT", 128 + 7: "SIGBUS", 128 + 8: "SIGFPE", 128 + 11: "SIGSEGV"}

// parse takes apart what probeScript has printed.
func (p *probeRun) parse(printed string) (map[string]any, error) {
	if p.Script != nil {
		return p.parseScript(printed)
	}
	printed = strings.ToValidUTF8(printed, "\uFFFD")
	output, exit, found := statusLine(printed, p.nonce+":")
	switch {
	case !found:
		return nil, fmt.Errorf("it printed more than %d KiB, or did not end", maxProbeOutput>>10)
	case exit == killed:
		return nil, fmt.Errorf("it did not end within %s, or was killed", p.Within)
	case crashSignals[exit] != "":
		return nil, fmt.Errorf("its command crashed: %s", crashSignals[exit])
	case exit == 127 || exit == 126:
		return nil, fmt.Errorf("its command could not be run (exit code %d): %s", exit, strings.TrimSpace(output))
	}
	if p.Control != "" {
		_, control, found := statusLine(printed, p.nonce+" control:")
		if !found {
			return nil, errors.New("its control did not end")
		}
		if control != 0 {
			return nil, fmt.Errorf("its control failed as well (exit code %d), so that it says nothing", control)
		}
	}
	return map[string]any{"output": strings.TrimSuffix(output, "\n"), "exit": int64(exit)}, nil
}

// statusLine finds the last line that begins so, and returns what stands before it and the number after it.
func statusLine(printed, lead string) (before string, status int, found bool) {
	i := strings.LastIndex(printed, "\n"+lead)
	if i < 0 {
		return "", 0, false
	}
	number, _, _ := strings.Cut(printed[i+1+len(lead):], "\n")
	status, err := strconv.Atoi(strings.TrimSpace(number))
	return printed[:i], status, err == nil
}

// onNode runs the probe on a node, within says how.
func (p *probeRun) onNode(ctx context.Context, node string, within []string) (map[string]any, error) {
	nodes, ok := p.sc.cluster.(NodeRunner)
	if !ok {
		return nil, errors.New("commands cannot be run on the nodes of this cluster")
	}
	printed, err := nodes.OnNode(ctx, node, append(slices.Clone(within), p.argv()...)...)
	if err != nil {
		return nil, err
	}
	return p.parse(printed)
}

// errNoPod says that there is no pod where a probe is to look.
var errNoPod = errors.New("there is no such pod")

// pods are those that the probe's selector finds, the oldest first.
func (p *probeRun) pods(ctx context.Context) ([]*unstructured.Unstructured, error) {
	pods, err := p.c.List(ctx, kube.Query{Kind: "Pod", Namespace: p.Namespace, Selector: p.Pod})
	if err != nil {
		return nil, err
	}
	pods = notProbes(alive(pods))
	if len(pods) == 0 {
		return nil, errNoPod
	}
	slices.SortStableFunc(pods, func(a, b *unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return pods, nil
}

// inPod runs the probe in a container of a live pod, by the runtime of its node: that takes a deadline along, and no API
// server has to carry the streams.
func (p *probeRun) inPod(ctx context.Context) (map[string]any, error) {
	pods, err := p.pods(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(pods, func(a, b *unstructured.Unstructured) int { return cmp.Compare(unready(a), unready(b)) })
	for _, pod := range pods {
		node, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName")
		id := containerID(pod, p.Container)
		if node == "" || id == "" {
			continue
		}
		deadline := strconv.Itoa(2*int(p.Within.Seconds()) + 2)
		return p.onNode(ctx, node, []string{"crictl", "exec", "--sync", "--timeout", deadline, id})
	}
	return nil, fmt.Errorf("no pod with %s in namespace %s runs it", p.Pod, p.Namespace)
}

func unready(pod *unstructured.Unstructured) int {
	if status, _ := kube.Status(pod, "Ready"); status == "True" {
		return 0
	}
	return 1
}

// containerID is that of a pod's running container, of the first where name is empty; "" where it does not run.
func containerID(pod *unstructured.Unstructured, name string) string {
	statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", "containerStatuses")
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	if len(containers) > 0 && name == "" {
		first, _ := containers[0].(map[string]any)
		name, _ = first["name"].(string)
	}
	for _, s := range statuses {
		status, _ := s.(map[string]any)
		if _, running, _ := unstructured.NestedMap(status, "state", "running"); !running || status["name"] != name {
			continue
		}
		id, _ := status["containerID"].(string)
		_, id, _ = strings.Cut(id, "://")
		return id
	}
	return ""
}

// logs reads what the pods have logged, one after the other.
func (p *probeRun) logs(ctx context.Context) (map[string]any, error) {
	pods, err := p.pods(ctx)
	if err != nil {
		return nil, err
	}
	var all strings.Builder
	for _, pod := range pods {
		text, err := p.c.Logs(ctx, p.Namespace, pod.GetName(), p.Container, p.Previous, int64(maxProbeOutput-all.Len()))
		if err != nil {
			return nil, err
		}
		all.WriteString(strings.ToValidUTF8(text, "\uFFFD"))
	}
	return map[string]any{"output": all.String()}, nil
}

// probeValues is what conditions see of the probes that were run: probe.NAME.
func probeValues(snapshot kube.Snapshot, names []string) cty.Value {
	values := map[string]cty.Value{}
	for _, name := range names {
		for _, o := range snapshot[probeQuery(name)].Objects {
			if !strings.HasPrefix(name, "script.") {
				values[name] = toValue(o.Object)
			}
		}
	}
	return cty.ObjectVal(values)
}

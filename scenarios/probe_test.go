package scenarios

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/provision"
)

// A probe's commands are run by whatever sh a container has, so a real one runs them here.
func TestWhatComesOfAProbesCommands(t *testing.T) {
	for _, test := range []struct {
		run, control string
		output       string
		exit         int64
		because      string // it cannot be told
	}{
		{run: "echo out; echo err >&2", output: "out\nerr"},
		{run: "printf 'a\\nb\\n\\n'; exit 3", control: "true", output: "a\nb\n", exit: 3},
		{run: "exit 1", control: "exit 7", because: "its control failed as well (exit code 7)"},
		{run: "exec sleep 60", control: "true", because: "it did not end within 1s"},
		{run: "true", control: "exec sleep 60", because: "its control failed as well (exit code 137)"},
		{run: "yes", control: "true", because: "it printed more than 64 KiB"},
		{run: "kill -SEGV $$", control: "true", because: "its command crashed: SIGSEGV"},
		{run: "kill -TERM $$", control: "true", output: "Terminated", exit: 143}, // as busybox's timeout ends what hangs
		{run: "no-such-command", control: "true", because: "its command could not be run (exit code 127)"},
		{run: `printf '\377\376'`, control: "true", output: "\uFFFD"},
		{run: "cat", control: "cat"}, // it has no input
		// Output that looks like the last lines is none of them: they begin with a word that nobody knows beforehand.
		{run: `printf '\nnonce:0\n\nnonce control:0\n'; exit 4`, control: "true", output: "\nnonce:0\n\nnonce control:0", exit: 4},
	} {
		p := &probeRun{Probe: &labfile.Probe{Run: test.run, Control: test.control, Within: time.Second}, nonce: newNonce()}
		argv := p.argv()
		printed, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).Output()
		if err != nil && test.control == "" {
			t.Errorf("%s: %v", test.run, err)
		}
		found, err := p.parse(string(printed))
		switch {
		case test.because != "":
			if err == nil || !strings.Contains(err.Error(), test.because) {
				t.Errorf("%s: %v, %v; want the error %q", test.run, found, err, test.because)
			}
		case err != nil || found["output"] != test.output || found["exit"] != test.exit:
			t.Errorf("%s: %q, %v; want %q and exit code %d", test.run, found, err, test.output, test.exit)
		}
	}
}

func FuzzProbeOutput(f *testing.F) {
	f.Add("out\n\nn:0\n\nn control:0\n")
	f.Add("\nn:0\n\nn control:99999999999999999999\n")
	f.Fuzz(func(t *testing.T, printed string) {
		p := &probeRun{Probe: &labfile.Probe{Run: "x", Control: "y"}, nonce: "n"}
		found, err := p.parse(printed)
		if (err == nil) == (found == nil) {
			t.Errorf("%v, %v", found, err)
		}
		if err == nil && !strings.Contains(printed, "\nn control:0") {
			t.Error("it is told what came of a probe whose control is not known to have succeeded")
		}
	})
}

// reach is a task that is solved when a pod answers, and the stranger's own pod gets no answer.
const reach = `scenario "reach" {
  type = "task"
  title = "Reach"
  summary = "Reach it."
  situation = "What there is."
  goal = "What shall be so."
  probe "web" {
    pod     = "app=web"
    run     = "answer"
    control = "true"
    within  = "1s"
  }
  probe "stranger" {
    image   = "busybox:1.36"
    run     = "reach"
    control = "true"
    within  = "1s"
  }
  probe "log" {
    pod = "app=web"
    log = true
  }
  solved {
    stable_for = "2s"
    condition "answers" {
      says  = "it answers"
      holds = probe.web.exit == 0 && strcontains(probe.log.output, "ready")
    }
    condition "closed" {
      says  = "a stranger gets no answer"
      holds = probe.stranger.exit != 0
    }
  }
  solution {
    says = "Build it."
    run = ["true"]
  }
  wrong_fix "nothing" {
    says = "Nothing."
    run = ["true"]
  }
}`

// probed is a bench whose nodes run commands, and whose Jobs' pods end at once.
type probed struct {
	*bench
	mu sync.Mutex
	// web and stranger are what the two commands print and exit with, as sh; trouble is why the node does not answer.
	web, stranger string
	trouble       error
	// pod is the status that the stranger's pod gets.
	pod string
	ran []string
}

func newProbed(t *testing.T) *probed {
	p := &probed{bench: benchOf(t, own(t, reach, "")), web: "exit 0", stranger: "exit 1", pod: `{phase: Succeeded, containerStatuses: [{state: {terminated: {reason: Completed}}}]}`}
	p.r = NewResource(lab, p.r.Scenario(), p, nil)
	p.put("serviceaccounts", `{kind: ServiceAccount, apiVersion: v1, metadata: {name: default, namespace: labctl-probes}}`)
	p.put("pods", `{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: default, labels: {app: web}},
		spec: {nodeName: worker, containers: [{name: web}]},
		status: {containerStatuses: [{name: web, containerID: "containerd://c0ffee", state: {running: {}}}]}}`)
	p.Logs("default", "web", "ready\n")
	var jobs sync.WaitGroup
	jobs.Go(func() {
		served := map[string]bool{}
		for t.Context().Err() == nil {
			for _, job := range p.All("jobs") {
				if served[job.GetName()] {
					continue
				}
				served[job.GetName()] = true
				p.mu.Lock()
				stranger, status := p.stranger, p.pod
				p.mu.Unlock()
				run := &probeRun{Probe: &labfile.Probe{Run: stranger, Control: "true", Within: time.Second}, nonce: job.GetLabels()[labelProbe]}
				printed, _ := exec.Command("sh", run.argv()[1:]...).Output()
				p.Logs(job.GetNamespace(), job.GetName(), string(printed))
				p.put("pods", fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: %s, namespace: %s, labels: {labctl/probe: %s}}, status: %s}`,
					job.GetName(), job.GetNamespace(), run.nonce, status))
			}
			time.Sleep(5 * time.Millisecond) // it plays the controller, whose pace is its own
		}
	})
	t.Cleanup(jobs.Wait)
	return p
}

func (p *probed) OnNode(ctx context.Context, node string, argv ...string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ran = append(p.ran, node+" "+strings.Join(argv[:6], " ")) // crictl exec --sync --timeout SECONDS CONTAINER, and then sh
	if p.trouble != nil {
		return "", p.trouble
	}
	sh := slices.Clone(argv[6:])
	sh[slices.Index(sh, "answer")] = p.web
	out, err := exec.CommandContext(ctx, sh[0], sh[1:]...).Output()
	return string(out), err
}

func (p *probed) says(web, stranger string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.web, p.stranger = web, stranger
}

func (p *probed) check(want Verdict, because string) {
	p.t.Helper()
	c := p.r.Check(p.t.Context(), event.Discard, CheckOptions{})
	reasons := c.Reason
	for _, f := range c.Findings {
		reasons += "\n" + f.Reason
	}
	if c.Verdict != want || !strings.Contains(reasons, because) {
		p.t.Errorf("check: %s, %q; want %s because %q", c.Verdict, reasons, want, because)
	}
}

func TestProbes(t *testing.T) {
	p := newProbed(t)
	if err := p.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	p.check(Holds, "")
	if want := "worker crictl exec --sync --timeout 4 c0ffee"; len(p.ran) < 2 || p.ran[0] != want {
		t.Errorf("ran %q, want %q more than once in the 2s for which it must hold", p.ran, want)
	}
	if jobs := p.All("jobs"); len(jobs) > 0 {
		t.Errorf("left behind: %s", jobs[0].GetName())
	}

	p.says("exit 1", "exit 1")
	p.check(DoesNotHold, "probe.web.exit = 1, where probe.web.exit == 0 is needed")
	p.says("exit 0", "exit 0")
	p.check(DoesNotHold, "probe.stranger.exit = 0, where probe.stranger.exit != 0 is needed")
	p.says("exec sleep 9", "exit 1")
	p.check(Inconclusive, "probe web: it did not end within 1s")
	p.says("exit 0", "no-such-command")
	p.check(Inconclusive, "probe stranger: its command could not be run")
	p.says("exit 0", "exit 1")

	p.trouble = errors.New("the node does not answer")
	p.check(Inconclusive, "probe web: the node does not answer")
	p.trouble = nil

	p.pod = `{phase: Pending, containerStatuses: [{state: {waiting: {reason: ErrImagePull, message: "429 Too Many Requests"}}}]}`
	p.check(Inconclusive, "probe stranger: its container does not start: ErrImagePull: 429 Too Many Requests")
	p.pod = `{phase: Failed, containerStatuses: [{state: {terminated: {reason: OOMKilled}}}]}`
	p.says("exit 0", "kill -KILL $PPID")
	p.check(Inconclusive, "OOMKilled")

	p.Remove("pods", p.Get("pods", "default", "web"))
	p.check(DoesNotHold, "finds no pod to look at")
}

// A look that only observes does not act on the cluster, and says how old what it says is.
func TestObservingDoesNotProbe(t *testing.T) {
	p := newProbed(t)
	if err := p.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	p.ran = nil
	p.quiet("observing", func() { p.observe(provision.Current) })
	if len(p.ran) > 0 {
		t.Errorf("observing ran %q", p.ran)
	}
}

// The pod of a probe is let into a namespace that enforces the restricted standard, ends by itself, and is nobody's work.
func TestAProbesPod(t *testing.T) {
	p := newProbed(t)
	run := &probeRun{Probe: p.r.Scenario().Probes[1], sc: mustCompile(t, p.r), nonce: "n"}
	spec := run.job().Object["spec"].(map[string]any)
	if spec["activeDeadlineSeconds"] != int64(22) || spec["ttlSecondsAfterFinished"] != int64(60) || spec["backoffLimit"] != int64(0) {
		t.Errorf("a Job that stays: %v", spec)
	}
	pod := object(t, `{kind: Pod, apiVersion: v1, metadata: {name: x, namespace: default, labels: {app: web, labctl/probe: abc}}}`)
	if rest := notProbes(alive(append(p.All("pods"), pod))); slices.ContainsFunc(rest, func(o *unstructured.Unstructured) bool { return o.GetName() == "x" }) {
		t.Errorf("counted as the learner's: %v", rest)
	}
}

// A probe without which a condition would hold as well proves nothing.
func TestAHollowProbe(t *testing.T) {
	for holds, hollow := range map[string]bool{`probe.web.exit >= 0`: true, `probe.web.exit == 0 || probe.web.exit == 1`: true, `probe.web.exit == 0`: false} {
		s := own(t, strings.Replace(reach, `probe.web.exit == 0 && strcontains(probe.log.output, "ready")`, holds, 1), "")
		sc := mustCompile(t, NewResource(lab, s, nil, nil))
		i := slices.IndexFunc(s.Solved.Conditions, func(c *labfile.Condition) bool { return c.Name == "answers" })
		if got := sc.hollowProbe(s.Solved.Conditions[i]); (len(got) > 0) != hollow {
			t.Errorf("%s: %q", holds, got)
		}
	}
}

func mustCompile(t *testing.T, r *Resource) *compiled {
	t.Helper()
	sc, err := compile(r.lab, r.s)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// What is waited for are the pods that are there, and not those that a scenario beside makes meanwhile.
func TestAwaitProbesWaitsForThoseThatAreThere(t *testing.T) {
	b := newBench(t, "bare-pod")
	client, err := b.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pod := func(name string) *unstructured.Unstructured {
		o := object(t, fmt.Sprintf(`{kind: Pod, apiVersion: v1, metadata: {name: %s, namespace: labctl-probes, labels: {labctl/probe: x}}}`, name))
		labels := o.GetLabels()
		labels[kube.LabelLab] = lab
		o.SetLabels(labels)
		return b.Put("pods", o)
	}
	last := pod("probe-0")
	ended := make(chan error, 1)
	go func() { ended <- AwaitProbes(t.Context(), client, lab) }()
	for n := 1; ; n++ { // at no time there is none
		next := pod(fmt.Sprintf("probe-%d", n))
		b.Remove("pods", last)
		last = next
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

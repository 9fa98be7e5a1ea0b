package labfile

import (
	"strings"
	"testing"
	"testing/fstest"
)

// acting is a break whose only step does what is put in its place.
const acting = `scenario "acting" {
  type = "break"
  title = "Acting"
  summary = "Acting."
  situation = "What there is."
  goal = "What shall be so."
  DISRUPTS
  seed {
    STEPS
  }
  symptom {
    condition "c" {
      says = "it shows"
      kind = "Node"
      selector = "x"
      holds = self.spec.x == 1
    }
  }
  solved {
    condition "d" {
      says = "it is done"
      kind = "Node"
      selector = "x"
      holds = self.spec.x == 2
    }
  }
  solution {
    says = "It."
    run = ["true"]
  }
  wrong_fix "w" {
    says = "No."
    run = ["true"]
  }
}
`

func parseActing(disrupts, steps string) (*Definition, string) {
	text := strings.NewReplacer("DISRUPTS", disrupts, "STEPS", steps).Replace(acting)
	d, diags := ParseDefinition(Source{Name: "scenario.hcl", Bytes: []byte(text), Dir: fstest.MapFS{
		"files/policy.yaml": {Data: []byte("rules: []\n")}, "files/large": {Data: make([]byte, maxNodeFile+1)},
	}})
	return d, diags.Error()
}

func TestNodeActions(t *testing.T) {
	d, wrong := parseActing(`disrupts = ["api"]`, `step "policy" {
      node "control-plane" {
        file = "/etc/kubernetes/audit/policy.yaml"
        source = "files/policy.yaml"
      }
    }
    step "flags" {
      node "control-plane" {
        component = "kube-apiserver"
        flags = { "audit-policy-file" = "/etc/kubernetes/audit/policy.yaml", profiling = null }
        mounts = ["/var/log/kubernetes/audit"]
      }
    }`)
	actions := d.NodeActions()
	if len(actions) != 2 {
		t.Fatalf("%d actions: %s", len(actions), wrong)
	}
	file, flags := actions[0], actions[1]
	if string(file.Content) != "rules: []\n" || file.Path() != "/etc/kubernetes/audit/policy.yaml" || file.TakesAPI() {
		t.Errorf("the file is %+v", file)
	}
	if flags.Path() != "/etc/kubernetes/manifests/kube-apiserver.yaml" || !flags.TakesAPI() || !d.TakesAPI() {
		t.Errorf("the flags are %+v", flags)
	}
	if value, is := flags.Flags["profiling"]; !is || value != nil || *flags.Flags["audit-policy-file"] != file.File {
		t.Errorf("the flags are %v", flags.Flags)
	}
	if file.Target() == flags.Target() {
		t.Errorf("both are about %s", file.Target())
	}
}

func TestNodeActionsThatCannotBe(t *testing.T) {
	node := func(name, body string) string { return "step \"s\" {\nnode \"" + name + "\" {\n" + body + "\n}\n}" }
	lines := func(body string) string { return strings.ReplaceAll(body, "; ", "\n") }
	for name, test := range map[string]struct{ steps, disrupts, want string }{
		"no such node":        {steps: node("master", `stop = "kubelet"`), disrupts: `disrupts = ["node"]`, want: `"master" is not a node such as control-plane`},
		"nothing":             {steps: node("worker", ``), want: "A node block does one of three things"},
		"two things":          {steps: node("worker", lines(`stop = "kubelet"; file = "/etc/kubernetes/x"`)), want: "A node block does one of three things"},
		"something else":      {steps: node("worker", `stop = "sshd"`), want: `"stop" takes kubelet, etcd`},
		"on a worker":         {steps: node("worker", `stop = "etcd"`), disrupts: `disrupts = ["api"]`, want: `etcd runs on the node "control-plane"`},
		"unsaid":              {steps: node("worker", `stop = "kubelet"`), want: `needs disrupts = ["node"]`},
		"unsaid of the API":   {steps: node("control-plane", `stop = "etcd"`), disrupts: `disrupts = ["node"]`, want: `needs disrupts = ["api"]`},
		"anywhere":            {steps: node("worker", lines(`file = "/root/.ssh/authorized_keys"; source = "files/policy.yaml"`)), want: "is not a file below /etc/kubernetes"},
		"out of it":           {steps: node("worker", lines(`file = "/etc/kubernetes/../passwd"; source = "files/policy.yaml"`)), want: "is not a file below /etc/kubernetes"},
		"a manifest":          {steps: node("control-plane", lines(`file = "/etc/kubernetes/manifests/x.yaml"; source = "files/policy.yaml"`)), want: "is changed with stop or component"},
		"no source":           {steps: node("worker", `file = "/etc/kubernetes/x"`), want: `needs the attribute "source"`},
		"no such source":      {steps: node("worker", lines(`file = "/etc/kubernetes/x"; source = "files/none"`)), want: "Cannot read"},
		"a source elsewhere":  {steps: node("worker", lines(`file = "/etc/kubernetes/x"; source = "../x"`)), want: "is not the path of a file below"},
		"a folder":            {steps: node("worker", lines(`file = "/etc/kubernetes/x"; source = "files"`)), want: "is not a file"},
		"a large source":      {steps: node("worker", lines(`file = "/etc/kubernetes/x"; source = "files/large"`)), want: "holds at most 64 KiB"},
		"a source of a stop":  {steps: node("worker", lines(`stop = "kubelet"; source = "files/policy.yaml"`)), disrupts: `disrupts = ["node"]`, want: `"source" does not go with "stop"`},
		"a flag with dashes":  {steps: node("control-plane", lines(`component = "kube-scheduler"; flags = { "--v" = "2" }`)), want: "write it without dashes"},
		"a flag of two lines": {steps: node("control-plane", lines(`component = "kube-scheduler"; flags = { v = "2\n--x" }`)), want: "must be a text of one line"},
		"no flags":            {steps: node("control-plane", `component = "kube-scheduler"`), want: `needs the attribute "flags"`},
		"a mount of all":      {steps: node("control-plane", lines(`component = "kube-scheduler"; flags = { v = "2" }; mounts = ["/"]`)), want: "is not a directory below"},
		"twice": {steps: node("worker", `stop = "kubelet"`) + "\n" + strings.Replace(node("worker", `stop = "kubelet"`), `"s"`, `"t"`, 1),
			disrupts: `disrupts = ["node"]`, want: "Another node block is about the same already"},
		"not the last": {steps: node("control-plane", `stop = "kube-apiserver"`) + "\n" + strings.Replace(node("worker", `stop = "kubelet"`), `"s"`, `"t"`, 1),
			disrupts: `disrupts = ["api", "node"]`, want: "it has to be the last thing"},
	} {
		if _, said := parseActing(test.disrupts, test.steps); !strings.Contains(said, test.want) {
			t.Errorf("%s: %s; want %q", name, said, test.want)
		}
	}
}

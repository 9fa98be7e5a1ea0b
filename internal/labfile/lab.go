// Package labfile is labctl's only HCL schema: it decodes and validates lab files and scenario
// definitions, and reports every problem of a file in one run, each with its place and a snippet.
// It touches nothing but the bytes it is given and the files beside them.
package labfile

import (
	"io/fs"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Lab is a valid lab file.
type Lab struct {
	Name  string // ^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$
	Title string
	TTL   time.Duration // how long an EC2 host may live; zero without a host
	// Path is where the file was read from; "embedded:labs/day10.hcl" for labctl's own.
	Path string
	// VariableValues are the values of the variables that came from outside, by a flag, the environment or a
	// .labvars file, written as a .labvars file: with it the same file makes the same lab elsewhere.
	VariableValues []byte
	// Files are the files beside the lab file that it names, by path, as they were read.
	Files     Files
	Host      *Host // nil: this machine's own Docker
	Cluster   *Cluster
	Scenarios []*Scenario // in the order of the file
}

// Host is a `host "ec2" "name" {}` block.
type Host struct {
	Type          string    `json:"type"` // "ec2"
	Name          string    `json:"name"`
	Region        string    `json:"region"`
	InstanceTypes []string  `json:"instance_types"` // tried in this order when AWS has no capacity
	Image         string    `json:"image"`          // "debian-12", "debian-13", "ubuntu-24.04" or "ami-…"
	DiskGiB       int       `json:"disk_gib"`
	MaxPrice      float64   `json:"max_price,omitempty"` // USD per hour; 0: no limit
	SSHFrom       []string  `json:"ssh_from,omitempty"`  // CIDRs; empty: the caller's own address
	Range         hcl.Range `json:"-"`
}

// Cluster is a `cluster "kind" "name" {}` block.
type Cluster struct {
	Type       string `json:"type"` // "kind"
	Name       string `json:"name"`
	Kubernetes string `json:"kubernetes"`         // "1.35" or "1.35.4"
	Image      string `json:"image,omitempty"`    // node image, instead of the one that Kubernetes resolves to
	APIPort    int    `json:"api_port,omitempty"` // host port of the API server on loopback; 0: a free one
	Nodes      []Node `json:"nodes"`              // one entry per node, control plane first
	// Kubelet holds KubeletConfiguration fields (kubelet.config.k8s.io/v1beta1), such as
	// crashLoopBackOff = { maxContainerRestartPeriod = "30s" }.
	Kubelet map[string]any `json:"kubelet,omitempty"`
	Range   hcl.Range      `json:"-"`
}

// Node is one node of a cluster.
type Node struct {
	Role   string            `json:"role"` // "control-plane" or "worker"
	Labels map[string]string `json:"labels,omitempty"`
}

// Scenario is a scenario as a lab uses it: a definition and the inputs given to it.
type Scenario struct {
	*Definition
	// Input holds a value for every input of the definition.
	Input map[string]cty.Value
	Range hcl.Range // of the block in the lab file
}

// Type says what a scenario is.
type Type string

// The types of scenario.
const (
	Break Type = "break" // a seeded fault; solved when it is repaired
	Task  Type = "task"  // nothing seeded; the learner builds, the check judges
	Demo  Type = "demo"  // a sight; it holds or it does not
)

// Definition is a scenario of the catalogue, or one that a lab file defines itself.
type Definition struct {
	Name    string
	Type    Type
	Title   string
	Summary string // one or two sentences, for whoever chooses scenarios: it may name the fault
	Briefing
	// Needs are what its cluster has to be able to do; see Capabilities.
	Needs  []string
	Inputs []Input
	Seed   *Seed    // of a task nil, or images alone
	Probes []*Probe // scripts last
	// Answers are what learners type; each is one of Solved's conditions as well.
	Answers []*Answer
	// Live are the objects that conditions on others can compare.
	Live []*Object
	// Clears are what a reset also removes where it was not there before: what learners make on the way.
	Clears []Objects
	// Symptom proves that the scenario is as declared: the fault of a break, the sight of a demo.
	Symptom []*Condition
	Solved  *Solved // nil for a demo
	Hints   []Hint
	// Solution repairs a break or builds a task. Nil for a demo.
	Solution *Remedy
	// WrongFixes are plausible fixes that do not solve it; each must leave it unsolved.
	WrongFixes []*Remedy
	// RightFixes are other ways to solve it than the solution; each must solve it.
	RightFixes []*Remedy
	// Disturbances each make a demo not hold.
	Disturbances []*Remedy
	Debrief      string
	// Files holds the definition's manifests; paths in Seed are relative to it.
	Files fs.FS
	Range hcl.Range

	// template is what the definition was decoded from; nil for one that was put together in Go.
	template *template
}

// Images returns what the mirror must hold for the scenario.
func (d *Definition) Images() []string {
	var all []string
	if d.Seed != nil {
		all = slices.Clone(d.Seed.Images)
	}
	for _, p := range d.Probes {
		if p.Image != "" && !slices.Contains(all, p.Image) {
			all = append(all, p.Image)
		}
	}
	if slices.Contains(d.Needs, NeedsNetworkPolicy) && !slices.Contains(all, CapabilityImage) {
		all = append(all, CapabilityImage)
	}
	return all
}

// Input is a value that a lab may set in its scenario block.
type Input struct {
	Name        string
	Description string
	Default     cty.Value // also fixes the type
	Validations []Validation
	Range       hcl.Range
}

// Validation is what a value of an input has to be.
type Validation struct {
	Condition hcl.Expression // on input.NAME
	Message   string
}

// Seed is what makes a pristine scenario broken.
type Seed struct {
	// Manifests are made first, Steps follow in their order. They are paths of YAML templates in Definition.Files; ${input.x} is replaced, $${ is a
	// plain ${.
	Manifests []string
	// Verbatim: they are no templates, but taken as they are.
	Verbatim bool
	// Images are what the mirror must hold so that the scenario can be seeded and solved.
	Images []string
	Steps  []*Step
}

// Solved says when a scenario counts as solved: every condition and every guard holds, and has
// held for StableFor by the API server's clock.
type Solved struct {
	StableFor  time.Duration
	Conditions []*Condition
	// Guards must hold as well; they catch fixes that make the symptom vanish but not the fault.
	Guards []*Condition
}

// Hint is shown when its condition holds; a hint without a condition is always shown.
type Hint struct {
	Text string
	When *Condition
}

// Remedy is a list of commands as a learner types them; each is run by sh in `labctl shell`'s
// environment.
type Remedy struct {
	Name string // empty for the solution
	Says string // what it does and why it works, or why it does not
	Run  []string
	// Fails are of a wrong fix the conditions and guards of Solved that must say no after it; without any, one of them must.
	Fails []string
	// Answers are what is typed after Run, by the names of the Definition's Answers.
	Answers map[string][]string

	at, failsAt hcl.Range
}

package labfile

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/labctl/labctl/labs"
)

func mustParse(t *testing.T, name string, opt func(*Options)) *Lab {
	t.Helper()
	text, err := os.ReadFile("testdata/lab/" + name)
	if err != nil {
		t.Fatal(err)
	}
	options := fixtureOptions(t, text)
	if opt != nil {
		opt(&options)
	}
	lab, diags := Parse(Source{Name: name, Bytes: text}, options)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", name, diags)
	}
	return lab
}

func TestParseFull(t *testing.T) {
	lab := mustParse(t, "valid-full.hcl", nil)
	if lab.Name != "full-lab" || lab.Title != "Everything on eu-central-1" || lab.TTL != 90*time.Minute || lab.Path != "valid-full.hcl" {
		t.Errorf("lab: %+v", lab)
	}
	host := *lab.Host
	host.Range = hcl.Range{}
	if want := (Host{
		Type: "ec2", Name: "bench", Region: "eu-central-1", InstanceTypes: []string{"t3.large"}, Image: "ami-0123456789abcdef0",
		DiskGiB: 40, MaxPrice: 0.5, SSHFrom: []string{"203.0.113.7/32", "2001:db8::/32"},
	}); !reflect.DeepEqual(host, want) {
		t.Errorf("host: %+v", host)
	}
	k := lab.Cluster
	if k.Name != "full-cluster" || k.Kubernetes != "1.35.4" || k.APIPort != 6443 || !strings.HasPrefix(k.Image, "kindest/node:v1.35.4@") {
		t.Errorf("cluster: %+v", k)
	}
	a := map[string]string{"zone": "a", "topology.kubernetes.io/zone": "a"}
	if want := []Node{
		{Role: "control-plane"}, {Role: "worker", Labels: a}, {Role: "worker", Labels: a},
		{Role: "worker", Labels: map[string]string{"zone": "b"}},
	}; !reflect.DeepEqual(k.Nodes, want) {
		t.Errorf("nodes: %+v", k.Nodes)
	}
	if want := map[string]any{
		"maxPods": int64(50), "imageGCHighThresholdPercent": 90.5,
		"crashLoopBackOff":     map[string]any{"maxContainerRestartPeriod": "30s"},
		"featureGates":         map[string]any{"KubeletCrashLoopBackOffMax": true},
		"allowedUnsafeSysctls": []any{"net.core.somaxconn"},
	}; !reflect.DeepEqual(k.Kubelet, want) {
		t.Errorf("kubelet: %#v", k.Kubelet)
	}
	s := lab.Scenarios[0]
	if !s.Input["image"].RawEquals(cty.StringVal("nginx:doesnotexist-eu-central-1")) || !s.Input["replicas"].RawEquals(cty.NumberIntVal(2)) {
		t.Errorf("inputs: %#v", s.Input)
	}
	if s.Summary != "The pod web asks for nginx:doesnotexist-eu-central-1." || s.Seed.Images[0] != "nginx:doesnotexist-eu-central-1" {
		t.Errorf("the definition does not follow the lab's inputs: %q, %q", s.Summary, s.Seed.Images)
	}
	manifests, diags := Render(s.Definition, s.Input)
	if diags.HasErrors() || !bytes.Contains(manifests[0].Bytes, []byte("image: nginx:doesnotexist-eu-central-1\n")) {
		t.Errorf("manifest: %s %v", manifests, diags)
	}
}

func TestParseMinimalHasDefaults(t *testing.T) {
	lab := mustParse(t, "valid-minimal.hcl", nil)
	if lab.TTL != 0 || lab.Host != nil || lab.Cluster.Kubernetes != "1.35" || len(lab.Cluster.Nodes) != 1 || len(lab.Scenarios) != 0 {
		t.Errorf("lab: %+v %+v", lab, lab.Cluster)
	}
}

func TestParseOwnScenario(t *testing.T) {
	lab := mustParse(t, "valid-own-scenario.hcl", func(o *Options) { o.Environ = []string{"LABCTL_VAR_label=test"} })
	s := lab.Scenarios[0]
	if s.Type != Task || s.Solution.Run[0] != "kubectl run web --image=nginx:1.25 --labels=env=test" || s.Solved.Conditions[0].Evidence.(Objects).Name != "web" {
		t.Errorf("scenario: %+v %+v", s.Definition, s.Solution)
	}
}

func TestLocalDropsTheHost(t *testing.T) {
	lab := mustParse(t, "valid-full.hcl", func(o *Options) { o.Local = true })
	if lab.Host != nil || lab.TTL != 0 {
		t.Errorf("host %v, ttl %v", lab.Host, lab.TTL)
	}
}

func TestNameOption(t *testing.T) {
	for name, want := range map[string]string{"": "small-cluster", "small": "small-cluster", "team-7": "small-cluster-team-7"} {
		lab := mustParse(t, "valid-minimal.hcl", func(o *Options) { o.Name = name })
		if lab.Cluster.Name != want || (name != "" && lab.Name != name) {
			t.Errorf("--name %q: lab %q, cluster %q", name, lab.Name, lab.Cluster.Name)
		}
	}
	// The longest that is accepted makes a node name of exactly 63 characters.
	lab := mustParse(t, "valid-minimal.hcl", func(o *Options) { o.Name = strings.Repeat("x", 35) })
	if node := lab.Cluster.Name + "-control-plane"; len(node) != 63 {
		t.Errorf("%s has %d characters", node, len(node))
	}
}

// --var wins over the environment, which wins over the last .labvars file, then the first, then
// the default.
func TestVariablePrecedence(t *testing.T) {
	text := `
lab "x" { title = "${var.a} ${var.b} ${var.c} ${var.d} ${var.e} ${length(var.list)}" }
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "d" { default = "default" }
variable "e" { default = "default" }
variable "list" { default = ["x"] }
cluster "kind" "x-cluster" {
  node "control-plane" {}
}`
	lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{
		Vars:    map[string]string{"a": "var", "list": `["x", "y", "z"]`},
		Environ: []string{"LABCTL_VAR_a=env", "LABCTL_VAR_b=env=1", "LABCTL_VAR_unknown=env", "PATH=/bin", "LABCTL_VAR_"},
		LabVars: []Source{
			{Name: "one", Bytes: []byte("a = \"one\"\nb = \"one\"\nc = \"one\"\nd = \"one\"\n")},
			{Name: "two", Bytes: []byte("a = \"two\"\nb = \"two\"\nc = upper(\"two\")\n")},
		},
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	const want = "var env=1 TWO one default 3"
	if lab.Title != want {
		t.Errorf("%q, not %q", lab.Title, want)
	}
	// What was given makes the same lab where no flag, environment or file gives it.
	again, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{LabVars: []Source{{Name: "given", Bytes: lab.VariableValues}}})
	if diags.HasErrors() || again.Title != want || !bytes.Equal(again.VariableValues, lab.VariableValues) {
		t.Errorf("from\n%s%q: %v", lab.VariableValues, again.Title, diags)
	}
	if bytes.Contains(lab.VariableValues, []byte("default")) {
		t.Errorf("a default is no value from outside:\n%s", lab.VariableValues)
	}
}

func TestLabVarsProblems(t *testing.T) {
	vars := "colour = \"red\" # ERROR: The lab file declares no variable \"colour\". Did you mean \"color\"?\n" +
		"size = var.color # ERROR: Nothing can be referred to here.\n" +
		"block {} # ERROR: A .labvars file holds lines\n" +
		"number = \"many\" # ERROR: The variable \"number\" must be a number, and this is a text.\n" +
		"list = null # ERROR: \"list\" is null.\n"
	text := "lab \"x\" {}\nvariable \"color\" { default = \"\" }\nvariable \"size\" {}\nvariable \"number\" { default = 1 }\n" +
		"variable \"list\" {}\ncluster \"kind\" \"x-cluster\" {\n  node \"control-plane\" {}\n}\n"
	_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{LabVars: []Source{{Name: "class.labvars", Bytes: []byte(vars)}}})
	compare(t, expectations("class.labvars", []byte(vars)), diags)
}

func TestRefusedBeforeParsing(t *testing.T) {
	nest := func(open, shut string, n int) string {
		return "lab \"x\" {\n title = " + strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) + "\n}\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"10 MB":              {strings.Repeat("lab \"x\" {}\n", 1<<20), "File too large"},
		"one byte too many":  {strings.Repeat("#", MaxBytes+1), "File too large"},
		"NUL":                {"lab \"x\" {\n\x00}", "Not a text file"},
		"binary":             {"\x7fELF\x02\x01\x01\xff\xfe\xb0", "Not a text file"},
		"UTF-16":             {"\xff\xfel\x00a\x00b\x00", "UTF-16"},
		"Latin-1":            {"lab \"x\" { title = \"caf\xe9\" }", "The byte 0xe9 here is not valid UTF-8"},
		"parentheses":        {nest("(", ")", 101), "Nested too deeply"},
		"lists":              {nest("[", "]", 101), "Nested too deeply"},
		"templates":          {nest(`"${`, `}"`, 60), "Nested too deeply"},
		"blocks":             {strings.Repeat("a {\n", 101) + strings.Repeat("}\n", 101), "Nested too deeply"},
		"blocks unclosed":    {strings.Repeat("a {\n", 200000), "Nested too deeply"},
		"heredocs":           {strings.Repeat("a = <<A\n${\n", 200), "Nested too deeply"},
		"not":                {nest("!", "", 100000), "Expression too long"},
		"minus":              {nest("-", "", 100000), "Expression too long"},
		"sum":                {nest("1+", "", 100000), "Expression too long"},
		"sum over lines":     {"lab \"x\" {\n title = (" + strings.Repeat("1+\n", 10000) + "1)\n}", "Expression too long"},
		"conditionals":       {nest("true ? 1 : ", "", 10000), "Expression too long"},
		"unclosed condition": {nest("true ? ", "", 10000), "Expression too long"},
		"indexes":            {nest("a", "[a]", 10000), "Expression too long"},
		"splats":             {nest("a", ".*.b", 10000), "Expression too long"},
		"control sequences":  {"a = \"" + strings.Repeat("%{if true}", 10000) + "\"", "Expression too long"},
		"huge number":        {"a = 1e1000", "Number too large"},
		"long number":        {"a = " + strings.Repeat("1", 101), "Number too large"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(c.text)}, Options{})
			took := time.Since(start)
			if lab != nil || len(diags) != 1 || !strings.Contains(diags[0].Error(), c.want) {
				t.Fatalf("lab %v, %v", lab, diags)
			}
			// Milliseconds; quadratic would be minutes; the bound leaves room for a busy machine.
			if took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if diags[0].Subject == nil || diags[0].Subject.Filename != "x.hcl" {
				t.Errorf("place: %v", diags[0].Subject)
			}
		})
	}
}

func TestAcceptedAtTheLimit(t *testing.T) {
	text := "lab \"x\" {\n title = " + strings.Repeat("(", MaxNesting-2) + `"a"` + strings.Repeat(")", MaxNesting-2) + "\n}\n" +
		"cluster \"kind\" \"x-cluster\" {\n  node \"control-plane\" {}\n}\n"
	text = strings.Replace(text, `"a"`, `var.a`, 1) + "variable \"a\" { default = \"a\" }\n"
	text += strings.Repeat("#", MaxBytes-len(text))
	lab, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(text)}, Options{})
	if diags.HasErrors() || lab.Title != "a" {
		t.Errorf("%v", diags)
	}
}

// Values that double with every step must not fill the memory.
func TestValuesAreBounded(t *testing.T) {
	var doubling strings.Builder
	doubling.WriteString("variable \"v0\" { default = \"0123456789\" }\n")
	for i := 1; i <= 60; i++ {
		fmt.Fprintf(&doubling, "variable \"v%d\" { default = \"${var.v%d}${var.v%d}\" }\n", i, i-1, i-1)
	}
	multiplying := `"xy"`
	for range 40 {
		multiplying = `join("0123456789", split("", ` + multiplying + `))`
	}
	for name, c := range map[string]struct{ text, want string }{
		"doubling":    {doubling.String(), "A variable holds at most"},
		"multiplying": {"variable \"m\" { default = " + multiplying + " }\n", "the result is larger than"},
		"calls":       {"variable \"m\" { default = [" + strings.Repeat("lower(\"a\"), ", 501) + "] }\n", "at most 500 references"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(c.text)}, Options{})
			if !strings.Contains(fmt.Sprint(Problems(diags)), c.want) {
				t.Errorf("%v", Problems(diags))
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	_, diags := Parse(Source{Name: "x.hcl", Bytes: []byte(strings.Repeat("x {}\n", 5000))}, Options{})
	if len(diags) != maxProblems+1 || diags[maxProblems].Summary != "Too many problems" {
		t.Errorf("%d problems, the last: %v", len(diags), diags[len(diags)-1])
	}
}

// Maps decide nothing about the order, which is that of the file, and every problem comes once.
func TestProblemsAreInOrder(t *testing.T) {
	for folder, parse := range map[string]func(Source, Options) hcl.Diagnostics{
		"lab":      func(s Source, o Options) hcl.Diagnostics { _, d := Parse(s, o); return d },
		"scenario": func(s Source, _ Options) hcl.Diagnostics { _, d := ParseDefinition(s); return d },
	} {
		for name, text := range fixtures(t, folder) {
			src := Source{Name: name, Bytes: text, Dir: os.DirFS("testdata/" + folder)}
			opt := fixtureOptions(t, text)
			first := Problems(parse(src, opt))
			for i, p := range first {
				if i > 0 && p.File == first[i-1].File && p.Line < first[i-1].Line {
					t.Errorf("%s: line %d after %d", name, p.Line, first[i-1].Line)
				}
				if i > 0 && p == first[i-1] {
					t.Errorf("%s: twice: %+v", name, p)
				}
			}
			for range 10 {
				if again := Problems(parse(src, opt)); !reflect.DeepEqual(first, again) {
					t.Fatalf("%s: %v\nand then %v", name, first, again)
				}
			}
		}
	}
}

func TestDay10(t *testing.T) {
	text, err := fs.ReadFile(labs.FS(), "day10.hcl")
	if err != nil {
		t.Fatal(err)
	}
	lab, diags := Parse(Source{Name: "day10.hcl", Bytes: text}, Options{Catalogue: stubCatalogue(t)})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if lab.Name != "day10" || lab.Host.Name != "bench" || lab.Cluster.Name != "my-cluster" || len(lab.Cluster.Nodes) != 3 || len(lab.Scenarios) != 3 {
		t.Errorf("day10 is not the course's: %+v", lab)
	}
}

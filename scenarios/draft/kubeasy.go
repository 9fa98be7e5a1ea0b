package draft

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

type kubeasyChallenge struct {
	Title            string             `yaml:"title"`
	Description      string             `yaml:"description"`
	Theme            string             `yaml:"theme"`
	Difficulty       string             `yaml:"difficulty"`
	EstimatedTime    int                `yaml:"estimatedTime"`
	EstimatedTime2   int                `yaml:"estimated_time"`
	InitialSituation string             `yaml:"initialSituation"`
	Initial2         string             `yaml:"initial_situation"`
	Objective        string             `yaml:"objective"`
	Objectives       []kubeasyObjective `yaml:"objectives"`
	Validations      []kubeasyObjective `yaml:"validations"`
}

type kubeasyTarget struct {
	Kind          string            `yaml:"kind"`
	Name          string            `yaml:"name"`
	Namespace     string            `yaml:"namespace"`
	LabelSelector map[string]string `yaml:"labelSelector"`
}

type kubeasyObjective struct {
	Key         string    `yaml:"key"`
	Title       string    `yaml:"title"`
	Description string    `yaml:"description"`
	Type        string    `yaml:"type"`
	Spec        yaml.Node `yaml:"spec"`
}

type kubeasySpec struct {
	Target          kubeasyTarget  `yaml:"target"`
	Conditions      []kubeasyCheck `yaml:"conditions"`
	Checks          []kubeasyCheck `yaml:"checks"`
	Container       string         `yaml:"container"`
	Previous        bool           `yaml:"previous"`
	ExpectedStrings []string       `yaml:"expectedStrings"`
	SourcePod       kubeasyTarget  `yaml:"sourcePod"`
	Mode            string         `yaml:"mode"`
	Targets         []struct {
		URL    string `yaml:"url"`
		Status int    `yaml:"expectedStatusCode"`
		Within int    `yaml:"timeoutSeconds"`
	} `yaml:"targets"`
	ServiceAccount string `yaml:"serviceAccount"`
	Namespace      string `yaml:"namespace"`
}

type kubeasyCheck struct {
	Type, Status                           string
	Verb, Resource, Subresource, Namespace string
	Allowed                                *bool
}

var (
	plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9./-]*$`)
	plainURL  = regexp.MustCompile(`^https?://[A-Za-z0-9.:/_-]+$`)
)

func readKubeasy(e *exercise) error {
	const file = "challenge.yaml"
	var c kubeasyChallenge
	lines, err := e.decode(file, &c)
	if err != nil {
		return err
	}
	e.title, e.summary, e.topic, e.difficulty = c.Title, c.Description, c.Theme, c.Difficulty
	e.minutes = max(c.EstimatedTime, c.EstimatedTime2)
	e.situation, e.goal = c.InitialSituation+c.Initial2, c.Objective
	e.carry(file, lines["title"], "title, summary, situation and goal")
	for _, name := range slices.Sorted(maps.Keys(e.files)) {
		switch folder, _, _ := strings.Cut(name, "/"); {
		case folder == "manifests" && roleOf(name) == "manifest":
			if err := e.manifest(name, "", name, 0); err != nil {
				return err
			}
		case folder == "policies":
			e.keep("files/"+name, e.files[name])
			e.todo(name, 0, "what the policy forbids is said in rules, and caught by a guard in solved")
		}
	}
	for _, o := range append(c.Objectives, c.Validations...) {
		var spec kubeasySpec
		if err := o.Spec.Decode(&spec); err != nil {
			return notYAML(file, err)
		}
		at := max(o.Spec.Line, 1)
		if why := e.kubeasyObjective(o, spec); why != "" {
			e.todo(file, at, "the objective %s (%s) is not carried: %s", o.Key, o.Type, why)
		} else {
			e.carry(file, at, "the objective %s (%s)", o.Key, o.Type)
		}
	}
	return nil
}

// kubeasyObjective adds the blocks of an objective, or says what is for the author.
func (e *exercise) kubeasyObjective(o kubeasyObjective, s kubeasySpec) string {
	label, says := identifier(o.Key, "-"), oneLine(orElse(o.Description, o.Title), o.Key)
	switch o.Type {
	case "condition", "status":
		return e.kubeasyCondition(label, says, s)
	case "rbac":
		return e.kubeasyAccess(label, says, s)
	case "log":
		return e.kubeasyLog(label, says, s)
	case "connectivity":
		return e.kubeasyConnectivity(label, says, s)
	case "event":
		return "events are rate-limited and expire: ask for what the object shows, such as restartCount, in a guard"
	}
	return "there is no block for that: write a condition, a probe or a script"
}

func (e *exercise) kubeasyCondition(label, says string, s kubeasySpec) string {
	checks := append(s.Conditions, s.Checks...)
	where, ok := s.Target.objects()
	if !ok || len(checks) == 0 {
		return "write a condition on what the object has to have"
	}
	var holds []string
	for _, c := range checks {
		if c.Type == "" || c.Status != "True" {
			return "only conditions that have to be True are carried: write a condition on self.status"
		}
		holds = append(holds, "condition(self, "+quote(c.Type)+")")
	}
	e.condition(label, says, where+"holds = "+strings.Join(holds, " && "))
	return ""
}

// objects writes kind, name or selector, and namespace.
func (t kubeasyTarget) objects() (string, bool) {
	text := ""
	if t.Kind != "" {
		text = "kind = " + quote(t.Kind) + "\n"
	}
	switch {
	case t.Name != "":
		text += "name = " + quote(t.Name) + "\n"
	case len(t.LabelSelector) > 0:
		text += "selector = " + quote(t.selector()) + "\n"
	default:
		return "", false
	}
	if t.Namespace != "" {
		text += "namespace = " + quote(t.Namespace) + "\n"
	}
	return text, t.Kind != "" && plainWord.MatchString(t.Kind)
}

func (t kubeasyTarget) selector() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(t.LabelSelector)) {
		all = append(all, key+"="+t.LabelSelector[key])
	}
	return strings.Join(all, ",")
}

func (e *exercise) condition(label, says, body string) {
	e.solved = append(e.solved, fmt.Sprintf("condition %s {\nsays = %s\n%s\n}", quote(label), quote(says), body))
}

func (e *exercise) kubeasyAccess(label, says string, s kubeasySpec) string {
	var may, not []string
	for _, c := range s.Checks {
		resource := c.Resource
		if c.Subresource != "" {
			resource += "/" + c.Subresource
		}
		where := orElse(c.Namespace, orElse(s.Namespace, "default"))
		if !plainWord.MatchString(c.Verb) || !plainWord.MatchString(resource) || !plainWord.MatchString(where) {
			return "write an access block"
		}
		if permission := c.Verb + " " + resource + " in " + where; c.Allowed == nil || *c.Allowed {
			may = append(may, permission)
		} else {
			not = append(not, permission)
		}
	}
	if len(may) == 0 || !plainWord.MatchString(s.ServiceAccount) {
		return "an access block needs an account and at least one thing that it may do"
	}
	block := fmt.Sprintf("access %s {\nsays = %s\nas = %s\nmay = %s\n", quote(label), quote(says),
		quote("system:serviceaccount:"+orElse(s.Namespace, "default")+":"+s.ServiceAccount), list(may))
	if len(not) > 0 {
		block += "not = " + list(not) + "\n"
	}
	e.solved = append(e.solved, block+"}")
	return ""
}

func (e *exercise) kubeasyLog(label, says string, s kubeasySpec) string {
	if s.Target.Name != "" || len(s.Target.LabelSelector) == 0 || len(s.ExpectedStrings) == 0 {
		return "a probe reads the log of pods that a label selector finds: write one with log = true"
	}
	name := strings.ReplaceAll(label, "-", "_")
	block := fmt.Sprintf("# Without a bound in time: a right repair has to be right an hour later.\nprobe %s {\npod = %s\nlog = true\n", quote(name), quote(s.Target.selector()))
	if s.Container != "" {
		block += "container = " + quote(s.Container) + "\n"
	}
	if s.Previous {
		block += "previous = true\n"
	}
	if s.Target.Namespace != "" {
		block += "namespace = " + quote(s.Target.Namespace) + "\n"
	}
	e.top = append(e.top, block+"}")
	var holds []string
	for _, want := range s.ExpectedStrings {
		holds = append(holds, fmt.Sprintf("strcontains(probe.%s.output, %s)", name, quote(want)))
	}
	e.condition(label, says, "holds = "+strings.Join(holds, " || "))
	return ""
}

func (e *exercise) kubeasyConnectivity(label, says string, s kubeasySpec) string {
	if s.Mode != "" && s.Mode != "internal" || s.SourcePod.Name != "" || len(s.SourcePod.LabelSelector) == 0 || len(s.Targets) == 0 {
		return "write a probe block that asks from where the learner would"
	}
	var blocks, holds []string
	for i, target := range s.Targets {
		if target.Status != 200 || !plainURL.MatchString(target.URL) {
			return "only a page that has to be there (200) is carried; what has to be refused needs a probe with a control"
		}
		name := strings.ReplaceAll(label, "-", "_")
		if i > 0 {
			name = fmt.Sprintf("%s_%d", name, i+1)
		}
		block := fmt.Sprintf("probe %s {\npod = %s\nrun = %s\n# Only whether wget is there: write what has to work whatever the learner has done.\ncontrol = \"command -v wget\"\nwithin = \"10s\"\n",
			quote(name), quote(s.SourcePod.selector()), quote(fmt.Sprintf("timeout %d wget -qO- %s", min(max(target.Within, 3), 8), target.URL)))
		if s.SourcePod.Namespace != "" {
			block += "namespace = " + quote(s.SourcePod.Namespace) + "\n"
		}
		blocks, holds = append(blocks, block+"}"), append(holds, "probe."+name+".exit == 0")
	}
	e.top = append(e.top, blocks...)
	e.condition(label, says, "holds = "+strings.Join(holds, " && "))
	return ""
}

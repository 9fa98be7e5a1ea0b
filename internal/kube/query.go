package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// Query says which objects are meant: one by its name, those of a label selector, or all of a kind.
// It is comparable, so that it can be a map's key.
type Query struct {
	Kind      string // "Pod", "Deployment.apps"
	Namespace string // empty: all namespaces, or a kind that has none
	Name      string
	Selector  string // Kubernetes label selector syntax
}

// String names the objects for a person: "pods of default with app=web".
func (q Query) String() string {
	s := q.Kind + "s"
	if q.Name != "" {
		s = Ref(q.Kind, q.Name)
	}
	if q.Namespace != "" {
		s += " in namespace " + q.Namespace
	}
	if q.Selector != "" {
		s += " with " + q.Selector
	}
	return s
}

func (q Query) listOptions() metav1.ListOptions {
	o := metav1.ListOptions{LabelSelector: q.Selector}
	if q.Name != "" {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", q.Name).String()
	}
	return o
}

// Ownership is the labels by which labctl knows its own objects.
type Ownership struct {
	Lab      string
	Scenario string // may be empty: an object of the lab, not of a scenario
}

// The keys of the marks.
const (
	LabelLab      = "labctl/lab"
	LabelScenario = "labctl/scenario"
)

// Selector returns the label selector that finds the marked objects.
func (m Ownership) Selector() string {
	return labels.SelectorFromSet(m.labels()).String()
}

func (m Ownership) labels() map[string]string {
	l := map[string]string{LabelLab: m.Lab}
	if m.Scenario != "" {
		l[LabelScenario] = m.Scenario
	}
	return l
}

// On reports whether an object with these labels carries the marks.
func (m Ownership) On(have map[string]string) bool {
	for k, v := range m.labels() {
		if have[k] != v {
			return false
		}
	}
	return true
}

package kube

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// marked returns a copy of obj with our marks, also on all that it will make from templates (pods, jobs,
// claims), so that those are found when their owner is gone already.
func marked(obj *unstructured.Unstructured, m Ownership) *unstructured.Unstructured {
	obj = obj.DeepCopy()
	mark(obj.Object, m)
	markTemplates(obj.Object, m)
	return obj
}

// templates are the fields that hold what objects are made from: pods of workloads, jobs of a CronJob, and
// claims of a StatefulSet or of a pod's ephemeral volume.
var templates = []string{"template", "jobTemplate", "volumeClaimTemplate", "volumeClaimTemplates"}

// markTemplates marks the templates within a part of an object. A template is told by its metadata or spec:
// kinds that a cluster was taught may use the same words for other things.
func markTemplates(part map[string]any, m Ownership) {
	for name, value := range part {
		for _, inner := range elements(value) {
			if slices.Contains(templates, name) && (holdsMap(inner, "metadata") || holdsMap(inner, "spec")) {
				mark(inner, m)
			}
			markTemplates(inner, m)
		}
	}
}

// elements returns the objects that a field holds, one or a list.
func elements(value any) []map[string]any {
	switch v := value.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var all []map[string]any
		for _, e := range v {
			if object, is := e.(map[string]any); is {
				all = append(all, object)
			}
		}
		return all
	}
	return nil
}

func holdsMap(object map[string]any, field string) bool {
	_, is := object[field].(map[string]any)
	return is
}

func mark(object map[string]any, m Ownership) {
	meta, _ := object["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		object["metadata"] = meta
	}
	have, _ := meta["labels"].(map[string]any)
	if have == nil {
		have = map[string]any{}
		meta["labels"] = have
	}
	for k, v := range m.labels() {
		have[k] = v
	}
}

package draft

import (
	"fmt"
	"strings"
)

// kinds are the words for kinds that scripts delete.
var kinds = map[string]string{
	"pod": "Pod", "pods": "Pod", "po": "Pod", "deployment": "Deployment", "deployments": "Deployment", "deploy": "Deployment",
	"service": "Service", "services": "Service", "svc": "Service", "configmap": "ConfigMap", "configmaps": "ConfigMap", "cm": "ConfigMap",
	"secret": "Secret", "secrets": "Secret", "namespace": "Namespace", "namespaces": "Namespace", "ns": "Namespace", "job": "Job", "jobs": "Job",
	"cronjob": "CronJob", "cronjobs": "CronJob", "statefulset": "StatefulSet", "sts": "StatefulSet", "daemonset": "DaemonSet", "ds": "DaemonSet",
	"serviceaccount": "ServiceAccount", "sa": "ServiceAccount", "role": "Role", "rolebinding": "RoleBinding", "clusterrole": "ClusterRole",
	"clusterrolebinding": "ClusterRoleBinding", "networkpolicy": "NetworkPolicy", "netpol": "NetworkPolicy", "ingress": "Ingress", "ing": "Ingress",
	"pvc": "PersistentVolumeClaim", "persistentvolumeclaim": "PersistentVolumeClaim", "pv": "PersistentVolume", "hpa": "HorizontalPodAutoscaler",
}

// cleanup makes clear blocks of what a script deletes and the seed does not make: a reset removes that by itself.
func (e *exercise) cleanup(name string) error {
	text, err := e.text(name, name, 0)
	if err != nil {
		return err
	}
	for _, s := range statements(text) {
		if !e.cleanupStep(s) {
			e.keep("files/"+name, []byte(text))
			e.todo(name, s.line, "a reset removes what is seeded and what it made; of what else this removes, write a clear block: %s", oneLine(s.text, ""))
		}
	}
	e.carry(name, 0, "a reset removes what is seeded; clear blocks name the rest")
	return nil
}

func (e *exercise) cleanupStep(s statement) bool {
	if len(s.words) == 0 {
		return false
	}
	switch s.words[0] {
	case "set", "echo", "printf", "sleep", "exit", "true", ":":
		return true
	case "kubectl", "k":
	default:
		return false
	}
	c, ok := parseKubectl(s.words[1:])
	if !ok || c.verb != "delete" || !c.only("f", "namespace", "ignore-not-found", "force", "grace-period", "wait", "now", "timeout") {
		return false
	}
	for _, f := range c.flags["f"] {
		names := e.below(f, "")
		if len(names) == 0 {
			return false
		}
		for _, name := range names {
			if !strings.Contains(strings.Join(paths(e.out), "\n")+"\n", manifestPath(name)+"\n") {
				return false
			}
		}
	}
	if len(c.args) == 0 {
		return len(c.flags["f"]) > 0
	}
	kind, names := c.args[0], c.args[1:]
	if left, right, is := strings.Cut(kind, "/"); is && len(names) == 0 {
		kind, names = left, []string{right}
	}
	kind = kinds[strings.ToLower(kind)]
	if kind == "" || len(names) == 0 {
		return false
	}
	for _, name := range names {
		e.clear(kind, c.namespace(), name)
	}
	return true
}

func paths(files []File) (all []string) {
	for _, f := range files {
		all = append(all, f.Path)
	}
	return all
}

func (e *exercise) clear(kind, namespace, name string) {
	key := id(kind, namespace, name)
	if e.seeded[key] || namespace != "" && e.seeded["Namespace//"+namespace] {
		return
	}
	e.seeded[key] = true
	block := fmt.Sprintf("clear {\nkind = %s\nname = %s\n", quote(kind), quote(name))
	if strings.Count(key, "//") == 0 && namespace != "" {
		block += fmt.Sprintf("namespace = %s\n", quote(namespace))
	}
	e.clears = append(e.clears, block+"}")
}

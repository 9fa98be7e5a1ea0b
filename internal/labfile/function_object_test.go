package labfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// whyNot calls a function on an object in JSON; it returns the answer, or the error, and why the answer is no.
func whyNot(t *testing.T, name, object string, more ...cty.Value) (answer, why string) {
	t.Helper()
	f := Explaining(func(w string) { why += w })[name]
	v, err := f.Call(append([]cty.Value{parsedJSON(t, object)}, more...))
	if err != nil {
		return err.Error(), why
	}
	return hclText(v), why
}

// What `kubectl rollout status` and a look at READY say, and why not.
func TestWorkloadFunctions(t *testing.T) {
	object := func(kind, spec, status string) string {
		return fmt.Sprintf(`{"kind": %q, "metadata": {"name": "web", "generation": 2}, "spec": {%s}, "status": {%s}}`, kind, spec, status)
	}
	const seen = `"observedGeneration": 2`
	for _, c := range []struct{ name, object, answer, why string }{
		{"rolled_out", object("Deployment", `"replicas": 2`, `"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2`), "false", "deployment/web: its newest form has not been seen by its controller yet"},
		{"rolled_out", object("Deployment", `"replicas": 2`, seen+`, "updatedReplicas": 1`), "false", "deployment/web: 1 of 2 replicas are of the newest template"},
		{"rolled_out", object("Deployment", `"replicas": 2`, seen+`, "updatedReplicas": 1, "conditions": [{"reason": "ProgressDeadlineExceeded"}]`), "false", "newest template, and its progress deadline is over"},
		{"rolled_out", object("Deployment", `"replicas": 2`, seen+`, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2`), "false", "replicas of an older template are still there: 1"},
		{"rolled_out", object("Deployment", `"replicas": 2`, seen+`, "replicas": 2, "updatedReplicas": 2`), "false", "0 of 2 replicas are available"},
		{"rolled_out", object("Deployment", `"replicas": 2`, seen+`, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2`), "true", ""},
		{"rolled_out", object("Deployment", ``, seen+`, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1`), "true", ""},
		{"rolled_out", object("Deployment", `"replicas": 0`, seen), "true", ""},
		{"rolled_out", object("StatefulSet", `"replicas": 3`, seen+`, "readyReplicas": 2, "updatedReplicas": 3`), "false", "statefulset/web: 2 of 3 replicas are ready"},
		{"rolled_out", object("StatefulSet", `"replicas": 3`, seen+`, "readyReplicas": 3, "updatedReplicas": 2`), "false", "2 of 3 replicas are of the newest template"},
		{"rolled_out", object("StatefulSet", `"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}`, seen+`, "readyReplicas": 3, "updatedReplicas": 2`), "true", ""},
		{"rolled_out", object("StatefulSet", `"updateStrategy": {"type": "OnDelete"}`, seen), "its updateStrategy is OnDelete", ""},
		{"rolled_out", object("DaemonSet", ``, seen+`, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1`), "false", "1 of 2 replicas are of the newest template"},
		{"rolled_out", object("DaemonSet", ``, seen+`, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1`), "false", "1 of 2 replicas are available"},
		{"rolled_out", object("DaemonSet", ``, seen+`, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2`), "true", ""},
		{"rolled_out", `{"kind": "DaemonSet", "metadata": {"name": "web"}}`, "false", "has not been seen"},
		{"rolled_out", `{"kind": "Job"}`, "a Job is not rolled out", ""},

		{"ready", object("Deployment", `"replicas": 2`, `"observedGeneration": 1, "readyReplicas": 2`), "false", "has not been seen"},
		{"ready", object("Deployment", `"replicas": 2`, seen+`, "readyReplicas": 1`), "false", "deployment/web: 1 of 2 replicas are ready"},
		{"ready", object("Deployment", `"replicas": 0`, seen), "false", "deployment/web asks for no replicas"},
		{"ready", object("Deployment", `"replicas": 2`, seen+`, "readyReplicas": 3`), "true", ""}, // in an update, one more
		{"ready", object("DaemonSet", ``, seen+`, "desiredNumberScheduled": 2, "numberReady": 1`), "false", "daemonset/web: 1 of 2 replicas are ready"},
		{"ready", object("DaemonSet", ``, seen+`, "desiredNumberScheduled": 2, "numberReady": 2`), "true", ""},
		{"ready", `{"kind": "Pod", "metadata": {"name": "web", "deletionTimestamp": "x"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}`, "false", "pod/web is being deleted"},
		{"ready", `{"kind": "Pod", "metadata": {"name": "web"}, "status": {"conditions": [{"type": "Ready", "status": "False", "message": "no"}]}}`, "false", "its condition Ready is False: no"},
		{"ready", `{"kind": "Pod", "metadata": {"name": "web", "deletionTimestamp": null}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}`, "true", ""},
		{"ready", `{"kind": "Node", "metadata": {"name": "web"}}`, "false", "node/web has no condition Ready"},
		{"ready", `{"kind": "Pod", "metadata": [], "status": {"conditions": "x"}}`, "false", "has no condition Ready"},
		{"ready", `{"kind": "Deployment", "spec": {"replicas": "many"}, "status": {"readyReplicas": [], "observedGeneration": 1e300}}`, "false", "0 of 1 replicas"},
		{"ready", `{"kind": 1}`, "this is no object of the cluster", ""},
	} {
		if answer, why := whyNot(t, c.name, c.object); !strings.Contains(answer, c.answer) || !strings.Contains(why, c.why) || c.why == "" && why != "" {
			t.Errorf("%s(%s): %s, %q; want %s, %q", c.name, c.object, answer, why, c.answer, c.why)
		}
	}
}

// An owner that was deleted and made anew is another one.
func TestOwnedBy(t *testing.T) {
	const pod = `{"kind": "Pod", "metadata": {"name": "web-x", "ownerReferences": [{"kind": "Job", "name": "report", "uid": "1"}, {"kind": "Set", "name": "s", "uid": "2"}]}}`
	job := func(uid string) cty.Value {
		return parsedJSON(t, `{"kind": "Job", "metadata": {"name": "report", "uid": "`+uid+`"}}`)
	}
	for _, c := range []struct {
		object      string
		owner       cty.Value
		answer, why string
	}{
		{pod, job("1"), "true", ""},
		{pod, job("3"), "false", "pod/web-x is owned by a job/report that is not the one there is now"},
		{pod, cty.StringVal("Job/report"), "true", ""},
		{pod, cty.StringVal("Job/other"), "false", "pod/web-x is owned by job/report, set/s"},
		{`{"kind": "Pod", "metadata": {"name": "web-x"}}`, cty.StringVal("Job/report"), "false", "pod/web-x is owned by nothing"},
		{pod, job(""), "an owner is an object of the cluster", ""},
		{pod, cty.StringVal("Job/"), "no owner such as", ""},
		{pod, cty.Zero, "an owner is an object of the cluster", ""},
	} {
		if answer, why := whyNot(t, "owned_by", c.object, c.owner); !strings.Contains(answer, c.answer) || why != c.why {
			t.Errorf("%s by %#v: %s, %q; want %s, %q", c.object, c.owner, answer, why, c.answer, c.why)
		}
	}
}

// As the scheduler counts: k8s.io/component-helpers/resource, PodRequests.
func TestRequests(t *testing.T) {
	container := func(requests string) string { return `{"name": "c", "resources": {"requests": {` + requests + `}}}` }
	sidecar := func(cpu string) string {
		return `{"restartPolicy": "Always", "resources": {"requests": {"cpu": "` + cpu + `"}}}`
	}
	for spec, want := range map[string]string{
		`"containers": [` + container(`"cpu": "100m"`) + `,` + container(`"cpu": "200m"`) + `,` + container(`"cpu": "700m"`) + `]`:                          "1",
		`"containers": [` + container(`"cpu": "500m"`) + `], "initContainers": [` + container(`"cpu": "2"`) + `,` + container(`"cpu": 1`) + `]`:             "2",
		`"containers": [` + container(`"cpu": 0.5`) + `], "initContainers": [` + container(`"cpu": "1"`) + `,` + sidecar("250m") + `]`:                      "1",
		`"containers": [` + container(`"cpu": 0.5`) + `], "initContainers": [` + sidecar("250m") + `,` + container(`"cpu": "1"`) + `,` + sidecar("1") + `]`: "1.75",
		`"containers": [` + container(`"cpu": "3"`) + `], "initContainers": [` + sidecar("1") + `], "overhead": {"cpu": "10m"}`:                             "4.01",
		`"containers": [` + container(`"cpu": "3"`) + `], "resources": {"requests": {"cpu": "5"}}`:                                                          "5",
		`"containers": [{"resources": {"limits": {"cpu": "3"}}}]`:                                                                                           "3",
		`"containers": [{"resources": {"limits": {"cpu": "3"}, "requests": {"cpu": "1"}}}]`:                                                                 "1",
		`"containers": [{"resources": {"requests": {"cpu": null}}}, null, 1, {"resources": []}]`:                                                            "0",
		`"containers": [` + container(`"cpu": "lots"`) + `]`:                                                                                                "the requests of cpu of container c: \"lots\" is no quantity",
		`"containers": [` + container(`"cpu": []`) + `]`:                                                                                                    "a text or a number is needed",
		`"containers": [` + container(``) + `], "overhead": {"cpu": "1e999999999"}`:                                                                         "the pod's overhead of cpu",
		`"containers": {}`: "no spec.containers",
	} {
		got := ""
		v, err := Functions()["requests"].Call([]cty.Value{parsedJSON(t, `{"spec": {`+spec+`}}`), cty.StringVal("cpu")})
		if err != nil {
			got = err.Error()
		} else if got = hclText(v); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
	// Sums are exact: in binary fractions 0.1 and 0.2 are not 0.3.
	for n := range 300 {
		pod := parsedJSON(t, `{"spec": {"containers": [`+strings.TrimSuffix(strings.Repeat(container(fmt.Sprintf(`"cpu": "%dm"`, n))+",", 7), ",")+`]}}`)
		v, err := Functions()["requests"].Call([]cty.Value{pod, cty.StringVal("cpu")})
		want, _ := Functions()["quantity"].Call([]cty.Value{cty.StringVal(fmt.Sprintf("%dm", 7*n))})
		if err != nil || !v.Equals(want).True() {
			t.Fatalf("7 times %dm: %s, %v", n, hclText(v), err)
		}
	}
}

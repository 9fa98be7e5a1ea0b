package scenarios

import (
	"strings"
	"testing"
)

func TestUnderWay(t *testing.T) {
	const pulling = `{kind: Pod, metadata: {name: x, creationTimestamp: "2024-01-01T00:00:00Z", managedFields: [
		{manager: kubectl, time: "2024-01-01T00:01:00Z"}, {manager: kubelet, subresource: status, time: "2024-01-01T00:0REPORT:00Z"}]},
		status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ImagePullBackOff}}}]}}`
	for text, want := range map[string]bool{
		`{kind: Pod, status: {phase: Pending}}`:                                                                                                                  true,
		`{kind: Pod, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`:                                                                     false,
		`{kind: Pod, metadata: {deletionTimestamp: "2024-01-01T00:00:00Z"}, status: {conditions: [{type: Ready, status: "True"}]}}`:                              true,
		`{kind: Pod, status: {phase: Running, containerStatuses: [{state: {running: {}}}]}}`:                                                                     true,
		`{kind: Pod, status: {phase: Failed}}`:                                                                                                                   false,
		`{kind: Pod, status: {phase: Pending, containerStatuses: [{state: {waiting: {reason: ContainerCreating}}}]}}`:                                            true,
		`{kind: Deployment, metadata: {generation: 2}, spec: {replicas: 1}, status: {observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1}}`: true,
		`{kind: Deployment, metadata: {generation: 2}, spec: {replicas: 1}, status: {observedGeneration: 2, replicas: 1, readyReplicas: 1, updatedReplicas: 1}}`: false,
		`{kind: Deployment, spec: {replicas: 2}, status: {replicas: 3, readyReplicas: 2, updatedReplicas: 2}}`:                                                   true,
		`{kind: Deployment, spec: {replicas: 0}}`:                                                                                                                false,
		`{kind: DaemonSet, status: {desiredNumberScheduled: 2, numberReady: 1}}`:                                                                                 true,
		`{kind: Job, status: {active: 1}}`:                                                                                                                       true,
		`{kind: Job, status: {conditions: [{type: Failed, status: "True"}]}}`:                                                                                    false,
		`{kind: ConfigMap}`:                        false,
		strings.ReplaceAll(pulling, "REPORT", "0"): true, // of the image before the edit
		strings.ReplaceAll(pulling, "REPORT", "1"): true, // in the same second
		strings.ReplaceAll(pulling, "REPORT", "2"): false,
	} {
		if got := underWay(object(t, text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

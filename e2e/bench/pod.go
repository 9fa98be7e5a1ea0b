package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// pod is what a person reads off `kubectl get pod -o json`. labctl's own evaluation is not used here,
// so that it is not its own judge.
type pod struct {
	Metadata struct {
		Name string `json:"name"`
		UID  string `json:"uid"`
	} `json:"metadata"`
	Status struct {
		Phase             string `json:"phase"`
		ContainerStatuses []struct {
			Ready        bool `json:"ready"`
			RestartCount int  `json:"restartCount"`
			State        struct {
				Waiting *struct {
					Reason  string `json:"reason"`
					Message string `json:"message"`
				} `json:"waiting"`
			} `json:"state"`
			LastState struct {
				Terminated *struct {
					ExitCode int `json:"exitCode"`
				} `json:"terminated"`
			} `json:"lastState"`
		} `json:"containerStatuses"`
	} `json:"status"`
}

// scenario is the one that a pod of labs/day10.hcl belongs to.
func (p pod) scenario() string {
	for _, name := range []string{"imagepull", "crashloop", "multi-container"} {
		if p.Metadata.Name == name || strings.HasPrefix(p.Metadata.Name, name+"-") {
			return name
		}
	}
	return ""
}

// shows tells whether the pod shows its scenario's symptom.
func (p pod) shows() bool {
	statuses := p.Status.ContainerStatuses
	if len(statuses) == 0 {
		return false
	}
	first := statuses[0]
	switch p.scenario() {
	case "imagepull":
		w := first.State.Waiting
		return w != nil && (w.Reason == "ErrImagePull" || w.Reason == "ImagePullBackOff") && strings.Contains(w.Message, "not found")
	case "crashloop":
		return first.RestartCount >= 1 && first.LastState.Terminated != nil && first.LastState.Terminated.ExitCode == 1
	case "multi-container":
		return len(statuses) == 2 && statuses[0].Ready && statuses[1].Ready
	}
	return false
}

// pods lists the pods of the default namespace.
func (b *bench) pods(ctx context.Context, kubeconfig string) ([]pod, error) {
	out, err := exec.CommandContext(ctx, b.kubectl, "--kubeconfig", kubeconfig, "get", "pods", "-o", "json").Output()
	if err != nil {
		return nil, fmt.Errorf("kubectl get pods: %w", err)
	}
	var list struct{ Items []pod }
	err = json.Unmarshal(out, &list)
	return list.Items, err
}

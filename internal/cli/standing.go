package cli

import (
	"slices"
	"strings"

	"github.com/labctl/labctl/internal/count"
	"github.com/labctl/labctl/internal/docker"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/provision"
)

const noEngine = "the Docker engine does not answer"

// missed says what a lab still lacks by what is remembered of its last `up`; "" when that came through. What
// runs cannot tell: a host that was just launched runs, and so do the nodes of a cluster that was never finished.
func missed(st *state.State) string {
	switch {
	case !st.Cluster.Created:
		return "its cluster has not been finished; `labctl up` goes on"
	case st.Unfinished:
		return "its `labctl up` has not come through; the same command goes on"
	}
	return ""
}

// hostStanding says of a lab on a host what standing says of one on this machine.
func hostStanding(h *hostStatus, lab, missed string) (state, detail string) {
	switch h.State {
	case "running":
		if missed != "" {
			return "partial", h.String() + "; " + missed
		}
		return "up", h.String()
	case "stopped", "stopping":
		return "stopped", h.String() + "; `labctl start` brings it back"
	case "unknown":
		return "unknown", h.String() + ", as last seen: " + h.Problem
	case "pending":
		return "partial", h.String() + "; `labctl up` goes on"
	case "gone", "no instance", "shutting-down":
		detail = "its host " + h.Instance + " is not there any more"
		if h.Instance == "" {
			detail = "no host was launched"
		}
		if !h.Expires.IsZero() && h.ExpiresIn <= 0 {
			detail += ": its time was up at " + h.Expires.Local().Format("15:04 MST")
		}
		return "gone", detail + "; `labctl up` makes a new one, `labctl down " + lab + "` forgets it"
	}
	return "partial", h.String()
}

// standing sums a lab's containers up.
func standing(r labStatus, containers []docker.Container) (state, detail string) {
	running, total := 0, 0
	var stopped []string
	for _, c := range containers {
		if c.Labels[provision.LabelLab] != r.Lab || c.Labels[provision.LabelOwner] != r.Owner {
			continue
		}
		total++
		if c.State == "running" {
			running++
		} else {
			stopped = append(stopped, c.Name+" is "+c.State)
		}
	}
	switch {
	case r.broken != "":
		return "unknown", r.broken
	case total == 0:
		return "gone", "nothing of it exists on this engine; `labctl down " + r.Lab + "` forgets it"
	case running == 0:
		return "stopped", "`labctl start` brings it back"
	case running < total:
		slices.Sort(stopped)
		return "partial", strings.Join(stopped, ", ") + "; `labctl up` repairs it"
	case r.missed != "":
		return "partial", r.missed
	}
	return "up", count.Do(running, "container", "runs", "run")
}

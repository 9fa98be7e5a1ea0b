package provision

import "slices"

// The labels by which labctl knows its own containers and volumes on a Docker engine.
const (
	LabelLab     = "labctl.lab"
	LabelOwner   = "labctl.owner"
	LabelCluster = "labctl.cluster"
)

// Ownership is a lab's identity: its name and its owner. Nothing without both is ever touched.
type Ownership struct{ Lab, Owner string }

// Labels returns the marks as "key=value", followed by more of the same form.
func (m Ownership) Labels(more ...string) []string {
	return append([]string{LabelLab + "=" + m.Lab, LabelOwner + "=" + m.Owner}, more...)
}

// On tells whether labels carry these marks.
func (m Ownership) On(labels map[string]string) bool {
	return labels[LabelLab] == m.Lab && labels[LabelOwner] == m.Owner
}

// Flags returns the labels as arguments of docker run or docker volume create.
func Flags(labels []string) []string {
	var args []string
	for _, l := range labels {
		args = append(args, "--label", l)
	}
	return slices.Clip(args)
}

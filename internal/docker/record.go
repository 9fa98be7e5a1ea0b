package docker

import (
	"context"
	"strings"
)

// LabelRecorded on a volume holds the id of an image that was built or accepted on this engine by whoever may
// make volumes there. `docker load` and `docker pull` bring images with any name and any label, but no volumes,
// and an id is the hash of what it names.
const LabelRecorded = "labctl.image"

// Recorded lists the ids of the images that scripts/node-image.sh and scripts/mirror-images.sh have recorded
// with the engine.
func (e *Engine) Recorded(ctx context.Context) ([]string, error) {
	out, err := e.Output(ctx, "volume", "ls", "--filter", "label="+LabelRecorded, "--format", `{{.Label "`+LabelRecorded+`"}}`)
	if err != nil {
		return nil, noEngine(err)
	}
	return strings.Fields(out), nil
}

// ImageNames lists the names of the local images in a repository, newest first.
func (e *Engine) ImageNames(ctx context.Context, repository string) ([]string, error) {
	out, err := e.Output(ctx, "images", "--format", "{{.Repository}}:{{.Tag}}", repository)
	if err != nil {
		return nil, noEngine(err)
	}
	return strings.Fields(out), nil
}

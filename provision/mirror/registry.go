package mirror

import (
	"context"
	"slices"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/event"
)

// registryImage is Docker's own registry 2.8.3. It has every lab's images in its hands, so it is not whatever
// the engine calls registry:2.
const registryImage = "registry:2@sha256:a3d8aaa63ed8681a604f1dea0aa03f100d5895b6a58ace528858a7b332415373"

// ownRegistry is the name under which `make mirror-images` builds one, where that cannot be pulled.
const ownRegistry = "registry:2"

// getRegistry returns the image of the registry: one that was built and recorded on this engine, else Docker's by its
// digest, which it pulls.
func (m *Mirror) getRegistry(ctx context.Context, sink event.Sink) (string, error) {
	own, ok, err := m.Engine.Image(ctx, ownRegistry)
	if err != nil {
		return "", err
	}
	if ok {
		recorded, err := m.Engine.Recorded(ctx)
		if err != nil {
			return "", err
		}
		if slices.Contains(recorded, own.ID) {
			return own.ID, nil
		}
	}
	if _, ok, err := m.Engine.Image(ctx, registryImage); err != nil || ok {
		return registryImage, err
	}
	sink.Emit(event.Progress{Addr: m.Addr(), Step: "pulling " + registryImage})
	if err := m.Engine.Pull(ctx, m.Addr(), registryImage, pullTimeout); err != nil {
		return "", clierr.New(clierr.Failed, "pulling %s: %w", registryImage, err).
			WithNext("Without a registry, `make mirror-images` in labctl's repository builds one on this machine, and records it.")
	}
	return registryImage, nil
}

package hypervisor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/command"
)

func diskName(id string) string { return "labctl-ec2-" + id }

// loading runs a machine's engine alone, without its systemd, and gives it an archive of images. What is
// complete says so: a loading that was killed is not used.
const loading = `set -eu
dockerd --bridge none --iptables=false >/tmp/dockerd.log 2>&1 & daemon=$!
tries=0
until docker version >/dev/null 2>&1; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] || { tail -n 5 /tmp/dockerd.log; exit 1; }
	sleep 0.1
done
docker load
# What is loaded here counts as built here, as it is on the engine that it comes from.
for id in $(docker images --quiet --no-trunc | sort -u); do
  docker volume create --label labctl.image=$id labctl-image-${id#sha256:}
done
kill $daemon
wait $daemon || true
cd /var/lib/docker
rm -rf containerd network runtimes tmp
touch complete`

// cloning gives a new disk what a prepared one holds. An engine never changes a file of an image's layer,
// it only removes its name, so these are shared as hard links (0.3 s and no space; copied, it is 3 s and a
// gigabyte). Two volumes are two mounts, between which no link can be made, so both are reached through
// the folder that holds all of them.
const cloning = `set -eu
cd "/volumes/$1/_data"
to=/volumes/$2/_data
cp -al overlay2 "$to/"
for item in *; do [ "$item" = overlay2 ] || cp -a "$item" "$to/"; done`

// prepareImages makes sure that there is a volume with the images to be preloaded, and returns its name.
func (h *Hypervisor) prepareImages(ctx context.Context) (volume string, err error) {
	ids, err := h.engine.run(ctx, nil, append([]string{"image", "inspect", "--format", "{{.Id}}", h.config.Image}, h.config.Preload...)...)
	if err != nil {
		return "", fmt.Errorf("looking for the machines' images (e2e/ec2/host/build.sh builds %s): %w", h.config.Image, err)
	}
	if len(h.config.Preload) == 0 {
		return "", nil
	}
	sum := sha256.Sum256([]byte(loading + ids + strings.Join(h.config.Preload, " ")))
	volume = fmt.Sprintf("labctl-ec2-images-%x", sum[:6])
	unlock, err := lock(ctx, filepath.Join(os.TempDir(), "labctl-ec2-images.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	ready, err := h.complete(ctx, volume)
	if err != nil {
		return "", err
	}
	if !ready {
		began := time.Now()
		if err := h.load(ctx, volume); err != nil {
			return "", fmt.Errorf("preloading %s: %w", strings.Join(h.config.Preload, ", "), err)
		}
		h.config.Log("hypervisor: %d images are preloaded in %s after %s", len(h.config.Preload), volume, time.Since(began).Round(time.Second))
	}
	return volume, h.removeOldImages(ctx, volume)
}

// lock keeps hypervisors that start at the same time from preparing the same volume. It ends with the
// process that holds it.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("waiting for another hypervisor to be ready (%s is locked): %w", path, context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// complete tells whether the volume is there with everything that belongs in it. One that was being filled
// when its process was killed is removed.
func (h *Hypervisor) complete(ctx context.Context, volume string) (bool, error) {
	found, err := h.engine.run(ctx, nil, "volume", "ls", "--quiet", "--filter", "name=^"+volume+"$")
	if err != nil || strings.TrimSpace(found) == "" {
		return false, err
	}
	said, err := h.engine.run(ctx, nil, append(append([]string{"run", "--rm"}, h.labels("looking")...),
		"--network", "none", "--volume", volume+":/disk:ro", "--entrypoint", "ls", h.config.Image, "/disk")...)
	if err != nil {
		return false, err
	}
	if slices.Contains(strings.Fields(said), "complete") {
		return true, nil
	}
	if _, err := h.engine.run(ctx, nil, "rm", "--force", volume); err != nil && !missing(err) {
		return false, err
	}
	_, err = h.engine.run(ctx, nil, "volume", "rm", volume)
	return false, err
}

// load fills a new volume. The container has the volume's name, so that there is one at a time.
func (h *Hypervisor) load(ctx context.Context, volume string) error {
	if _, err := h.engine.run(ctx, nil, "volume", "create", "--label", labelKind+"=images", "--label", labelPreload+"="+strings.Join(h.config.Preload, " "), volume); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	archive, out := io.Pipe()
	saved := make(chan error, 1)
	go func() {
		err := h.config.Engine.Run(ctx, command.Command{Argv: append([]string{"docker", "save"}, h.config.Preload...), Stdout: out})
		out.CloseWithError(err)
		saved <- err
	}()
	args := append([]string{"run", "--rm", "--interactive", "--name", volume}, h.labels("loading")...)
	args = append(args, "--privileged", "--network", "none", "--volume", volume+":/var/lib/docker:nocopy", "--entrypoint", "sh", h.config.Image, "-c", loading)
	_, err := h.engine.run(ctx, archive, args...)
	archive.Close()
	cancel()
	if serr := <-saved; err == nil && serr != nil && !errors.Is(serr, context.Canceled) {
		err = serr
	}
	return err
}

// removeOldImages removes what was preloaded under the same names before the images or the machines changed,
// and what nobody has the images of any more.
func (h *Hypervisor) removeOldImages(ctx context.Context, keep string) error {
	volumes, err := h.engine.run(ctx, nil, "volume", "ls", "--filter", "label="+labelPreload, "--format", `{{.Name}} {{.Label "`+labelPreload+`"}}`)
	if err != nil {
		return err
	}
	images, err := h.engine.run(ctx, nil, "images", "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	there := strings.Fields(images)
	for line := range strings.Lines(volumes) {
		name, preloaded, _ := strings.Cut(strings.TrimSpace(line), " ")
		lost := slices.ContainsFunc(strings.Fields(preloaded), func(image string) bool { return !slices.Contains(there, image) })
		if name == keep || !lost && preloaded != strings.Join(h.config.Preload, " ") {
			continue
		}
		if _, err := h.engine.run(ctx, nil, "volume", "rm", name); err != nil && !missing(err) && !strings.Contains(err.Error(), "in use") {
			return err
		}
	}
	return nil
}

// makeDisk makes the volume that a machine's engine keeps its things on.
func (h *Hypervisor) makeDisk(ctx context.Context, id string) error {
	disk := diskName(id)
	if _, err := h.engine.run(ctx, nil, append(append([]string{"volume", "create"}, h.labels("disk")...), disk)...); err != nil {
		return err
	}
	if h.images == "" {
		return nil
	}
	root, err := h.engine.run(ctx, nil, "info", "--format", "{{.DockerRootDir}}")
	if err != nil {
		return err
	}
	// Privileged, because an image's layers have attributes that nobody else sees.
	args := append([]string{"run", "--rm"}, h.labels("cloning")...)
	args = append(args, "--privileged", "--network", "none", "--volume", strings.TrimSpace(root)+"/volumes:/volumes",
		"--entrypoint", "sh", h.config.Image, "-c", cloning, "-", h.images, disk)
	_, err = h.engine.run(ctx, nil, args...)
	return err
}

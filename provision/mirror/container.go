package mirror

import (
	"crypto/sha256"
	"encoding/hex"
)

// Container is the name of a lab's mirror, by which the nodes reach it.
func Container(lab string) string { return "labctl-mirror-" + lab }

func (m *Mirror) container() string { return Container(m.Ownership.Lab) }
func (m *Mirror) filler() string    { return "labctl-mirror-" + m.Ownership.Lab + "-fill" }

// volume is shared by all labs of an owner on one host, so that an image is pulled once.
func (m *Mirror) volume() string {
	sum := sha256.Sum256([]byte(m.Ownership.Owner))
	return "labctl-mirror-" + hex.EncodeToString(sum[:4])
}

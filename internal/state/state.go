package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/plainfile"
)

// Version is the version of state.json that this labctl writes. It reads this one and older ones.
const Version = 1

// State is what labctl remembers of a lab. Everything in it but FileBytes, Manifests, Given and Extra could be
// found again from the marks on what is running.
type State struct {
	Version int    `json:"version"`
	Lab     string `json:"lab"`
	Owner   string `json:"owner"`
	Title   string `json:"title,omitempty"`
	// File is the absolute path of the lab file, or "embedded:labs/day10.hcl".
	File string `json:"file"`
	// FileBytes is the lab file as it was applied, so that verify, check and reset work when it is
	// gone or was changed since.
	FileBytes string `json:"file_bytes"`
	// Manifests are the files that the lab file names, by path, as they were applied.
	Manifests map[string]string `json:"manifests,omitempty"`
	// Declared is what the file came to, in internal/lab's form, without the scenarios: what it takes to
	// enter the lab, or to stop it, without understanding its file.
	Declared json.RawMessage `json:"declared,omitempty"`
	// FileName is the file's name in diagnostics.
	FileName string `json:"file_name"`
	Given    string `json:"given,omitempty"` // labfile.Lab.Given
	// Local: the lab was put on this machine's own Docker instead of its declared host (--local).
	Local bool `json:"local,omitempty"`
	// Name is what --name gave; empty without.
	Name string `json:"name,omitempty"`
	// Extra are scenarios that `labctl scenario NAME` added to those of the file.
	Extra []string `json:"extra,omitempty"`
	// Host is what provision/ec2 remembers of the lab's host, in its own form; none for this machine.
	Host json.RawMessage `json:"host,omitempty"`
	// Engine is the Docker engine that the lab was made on, where that is not its host's.
	Engine  EngineState  `json:"engine,omitzero"`
	Cluster ClusterState `json:"cluster"`
	// Unfinished: an `up` was begun and did not come through. It is saved with what is made first.
	Unfinished bool      `json:"unfinished,omitempty"`
	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`
}

// EngineState says which Docker engine a lab is on.
type EngineState struct {
	ID string `json:"id,omitempty"` // as `docker info` shows it
	// Endpoint is how docker reached it, and the name of its machine: "unix:///var/run/docker.sock on ann-laptop".
	Endpoint string `json:"endpoint,omitempty"`
}

// ClusterState is what labctl remembers of a lab's cluster.
type ClusterState struct {
	Name string `json:"name,omitempty"`
	// Image is the node image by name and digest where it has one; ImageID the engine's id of it.
	Image      string `json:"image,omitempty"`
	ImageID    string `json:"image_id,omitempty"`
	Kubernetes string `json:"kubernetes,omitempty"` // "1.35.4"
	APIPort    int    `json:"api_port,omitempty"`   // on the loopback of the machine that has the engine
	Created    bool   `json:"created,omitempty"`    // it was complete and ready once
	// Addresses are the nodes' addresses by container name; they are started again in this order.
	Addresses map[string]string `json:"addresses,omitempty"`
}

// maxState is many times what the largest lab takes.
const maxState = 64 << 20

// Load reads the lab's state. The error is ErrNotExist when there is none, a clierr.Refused when a
// newer labctl wrote it, and otherwise says what is wrong with the file and what still works.
func (l *Lab) Load() (*State, error) {
	if err := checkName(l.name); err != nil {
		return nil, err
	}
	data, err := plainfile.Read(l.Path(StateFile), maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lab %s has no state: %w", l.name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the state of lab %s: %s: %w", l.name, l.Path(StateFile), err)
	}
	s, err := decode(data)
	if newer, ok := errors.AsType[*newerError](err); ok {
		return nil, clierr.New(clierr.Refused, "%s: %w", l.Path(StateFile), newer).
			WithNext("Use the labctl that made lab %s, or a newer one.", l.name)
	}
	if err == nil && s.Lab != l.name {
		err = fmt.Errorf("it is the state of lab %q", s.Lab)
	}
	if err != nil {
		return nil, clierr.New(clierr.Failed, "the state of lab %s cannot be read: %s: %w", l.name, l.Path(StateFile), err).
			WithNext("Nothing else is lost: `labctl down %s` finds what belongs to the lab by its marks and removes it; "+
				"`labctl up FILE` after that starts afresh.", l.name)
	}
	return s, nil
}

// Save writes the state, all of it or nothing: on an error, a full disk included, the state that was
// there before stays. It sets s.Version, s.Updated and, where it is zero, s.Created. The caller holds
// the lab's lock.
func (l *Lab) Save(s *State) error {
	if s.Lab != l.name {
		return fmt.Errorf("saving the state of lab %s: it says that it is of lab %q", l.name, s.Lab)
	}
	now := l.home.now().UTC()
	next := *s
	next.Version, next.Updated = Version, now
	if next.Created.IsZero() {
		next.Created = now
	}
	data, err := json.MarshalIndent(&next, "", "  ")
	if err != nil {
		return fmt.Errorf("saving the state of lab %s: %w", l.name, err)
	}
	if err := l.WriteFile(StateFile, append(data, '\n')); err != nil {
		return fmt.Errorf("saving the state of lab %s: %w", l.name, err)
	}
	*s = next
	return nil
}

// newerError: a file was written by a labctl that knows more than this one.
type newerError struct{ found, known int }

func (e *newerError) Error() string {
	return fmt.Sprintf("written by a newer labctl (version %d of the format; this labctl knows %d)", e.found, e.known)
}

func decode(data []byte) (*State, error) {
	// The version first: what else a newer file holds is not for this labctl to judge.
	var head struct {
		Version int `json:"version"`
	}
	if err := decodeOne(data, &head); err != nil {
		return nil, err
	}
	switch {
	case head.Version > Version:
		return nil, &newerError{head.Version, Version}
	case head.Version < 1:
		return nil, errors.New("it has no version")
	}
	s := new(State)
	if err := decodeOne(data, s); err != nil {
		return nil, err
	}
	if !IsKubernetesVersion(s.Cluster.Kubernetes) {
		s.Cluster.Kubernetes = ""
	}
	return s, nil
}

// decodeOne decodes exactly one JSON value.
func decodeOne(data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("it is cut short")
		}
		return fmt.Errorf("it is damaged: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it is damaged: more follows its end")
	}
	return nil
}

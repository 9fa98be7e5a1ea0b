package lab

import (
	"slices"

	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/scenarios"
)

// LevelOf says how much is known of whether a scenario judges as it should: the catalogue's are proven by labctl's own tests, and
// of others this machine remembers what a proof came to.
func (m *Machine) LevelOf(d *labfile.Definition) labfile.Level {
	hash := d.Fingerprint()
	if own, err := scenarios.Lookup(d.Name); err == nil && hash != "" && own.Fingerprint() == hash {
		return labfile.Proven
	}
	home, err := m.Home()
	if err != nil {
		return labfile.Draft
	}
	r, known := home.Proof(hash)
	if level := labfile.Level(r.Level); known && slices.Contains([]labfile.Level{labfile.Tested, labfile.Proven}, level) {
		return level
	}
	return labfile.Draft
}

// LevelOf is that of the lab's machine.
func (l *Lab) LevelOf(d *labfile.Definition) labfile.Level { return l.m.LevelOf(d) }

// rememberLevel records what a proof came to. One that did not pass takes an earlier one back.
func (p *prover) rememberLevel() error {
	home, err := p.l.m.Home()
	hash := p.sc.Fingerprint()
	if err != nil || hash == "" {
		return err
	}
	if p.proof.Level == labfile.Draft {
		return home.DropProof(hash)
	}
	return home.KeepProof(hash, state.ProofRecord{Scenario: p.sc.Name, Level: string(p.proof.Level), Labctl: p.l.m.Version})
}

// level is what the proof has reached.
func (p *prover) level() labfile.Level {
	switch {
	case !p.proof.Proven:
		return labfile.Draft
	case len(p.sc.WrongFixes) >= labfile.ProvenBy, len(p.sc.Disturbances) >= labfile.ProvenBy:
		return labfile.Proven // all of them passed
	}
	return labfile.Tested
}

package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/plainfile"
	"github.com/labctl/labctl/internal/text"
)

// Act is one thing done to the world outside labctl's own files.
type Act struct {
	Verb   string // "docker run"
	Object string // "my-cluster-worker"
	Addr   string // of the resource: "cluster.kind.my-cluster"
	Detail string // free; never a secret
}

// Phase says where an act stands.
type Phase string

// The phases. An act with a begin and nothing after it may or may not have happened.
const (
	Begin  Phase = "begin"
	Done   Phase = "done"
	Failed Phase = "failed"
)

// JournalVersion is the version of the records that this labctl writes.
const JournalVersion = 1

// Record is one line of the journal.
type Record struct {
	V int `json:"v"`
	// N is the number of the line, from 1.
	N int `json:"n"`
	// ID is the N of the act's begin record; all records of one act share it.
	ID     int       `json:"id"`
	Phase  Phase     `json:"phase"`
	Time   time.Time `json:"time"`
	PID    int       `json:"pid"`
	Verb   string    `json:"verb"`
	Object string    `json:"object"`
	Addr   string    `json:"addr,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Error  string    `json:"error,omitempty"`
}

// Journal is a lab's append-only record of what it did to the world. Any number of goroutines and
// processes may use a lab's journal at once. It keeps no file open.
type Journal struct {
	lab *Lab
	// written is called with each record once it is on disk: after a begin and so before the act,
	// after a done and so after the act. It does nothing but in builds that test being killed.
	written func(n int)
}

// OpenJournal returns the lab's journal. No file is made until the first Begin.
func (l *Lab) OpenJournal() (*Journal, error) {
	if err := checkName(l.name); err != nil {
		return nil, err
	}
	written, err := killPoint()
	if err != nil {
		return nil, err
	}
	return &Journal{lab: l, written: written}, nil
}

// Begin records that an act is about to happen and returns once that is on disk. On an error the act
// must not be done: nothing would tell that it may have happened.
func (j *Journal) Begin(a Act) (*Pending, error) {
	if err := j.lab.mkdir(); err != nil {
		return nil, err
	}
	r := Record{Phase: Begin, Verb: a.Verb, Object: a.Object, Addr: a.Addr, Detail: a.Detail}
	if err := j.append(&r, os.O_CREATE); err != nil {
		return nil, fmt.Errorf("journalling %s %s: %w", a.Verb, a.Object, err)
	}
	return &Pending{journal: j, begin: r}, nil
}

// Pending is an act that has begun.
type Pending struct {
	journal *Journal
	begin   Record
	once    sync.Once
	err     error
}

// mostError is how many columns of an error are recorded: not a command's whole output.
const mostError = 4096

// Done records that the act has ended, and how: err is what it returned. Only the first call counts.
// It is nil as well when the journal was removed meanwhile, with its lab.
func (p *Pending) Done(err error) error {
	p.once.Do(func() {
		r := p.begin
		r.Phase = Done
		if err != nil {
			r.Phase, r.Error = Failed, text.Shorten(err.Error(), mostError)
		}
		if err := p.journal.append(&r, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.err = fmt.Errorf("journalling the end of %s %s: %w", r.Verb, r.Object, err)
		}
	})
	return p.err
}

// Records returns the journal, oldest first; none is not an error. A last line that was cut short is
// left out: its writer died before it acted on it. Any other damage is an error, with the records that
// can be read, and records of a newer labctl are a clierr.Refused.
func (j *Journal) Records() ([]Record, error) {
	path := j.lab.Path(JournalFile)
	f, err := plainfile.Open(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the journal of lab %s: %s: %w", j.lab.name, path, err)
	}
	defer f.Close()
	if err := flock(f, syscall.LOCK_SH); err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading the journal of lab %s: %w", j.lab.name, err)
	}
	records, err := decodeJournal(data)
	if newer, ok := errors.AsType[*newerError](err); ok {
		return records, clierr.New(clierr.Refused, "%s: %w", path, newer).
			WithNext("Use the labctl that made lab %s, or a newer one.", j.lab.name)
	}
	if err != nil {
		return records, clierr.New(clierr.Failed, "the journal of lab %s is damaged: %s: %w", j.lab.name, path, err).
			WithNext("`labctl down %s` does not need it: it goes by the marks on what is running.", j.lab.name)
	}
	return records, nil
}

// Abandon records that the acts of these begin records ended with their process, and have no effect any
// more that is still to come. Only who holds the lab's lock, and has seen to it, may say so.
func (j *Journal) Abandon(unfinished []Record) error {
	for _, begin := range unfinished {
		p := &Pending{journal: j, begin: begin}
		if err := p.Done(errors.New("its process ended before anybody knew how it ended")); err != nil {
			return err
		}
	}
	return nil
}

// Unfinished returns the begin records of the acts that have not ended, oldest first: those being done
// at this moment, and those whose process died. Errors are those of Records.
func (j *Journal) Unfinished() ([]Record, error) {
	records, err := j.Records()
	ended := make(map[int]bool)
	for _, r := range records {
		if r.Phase != Begin {
			ended[r.ID] = true
		}
	}
	var open []Record
	for _, r := range records {
		if r.Phase == Begin && !ended[r.ID] {
			open = append(open, r)
		}
	}
	return open, err
}

package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/labctl/labctl/internal/plainfile"
)

// append numbers r, writes it and syncs it. The lock on the file keeps other processes out from
// the counting to the sync, so N is the line's number and no line is ever mixed with another.
func (j *Journal) append(r *Record, flags int) (err error) {
	f, err := plainfile.Open(j.lab.Path(JournalFile), os.O_RDWR|os.O_APPEND|flags, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", j.lab.Path(JournalFile), err)
	}
	// Closing unlocks: no other process is ever given this file.
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := flock(f, syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	// A line without an end was being written by a process that died, before it acted on it.
	end := bytes.LastIndexByte(data, '\n') + 1
	if end < len(data) {
		if err := f.Truncate(int64(end)); err != nil {
			return fmt.Errorf("dropping a record that was cut short: %w", err)
		}
	}
	r.V, r.N = JournalVersion, bytes.Count(data, []byte("\n"))+1
	if r.Phase == Begin {
		r.ID = r.N
	}
	r.Time, r.PID = j.lab.home.now().UTC(), os.Getpid()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := writeSynced(f, append(line, '\n')); err != nil {
		// A full disk takes half a line; taking it back keeps the file readable for everybody.
		return errors.Join(err, f.Truncate(int64(end)))
	}
	j.written(r.N)
	return nil
}

func writeSynced(f *os.File, line []byte) error {
	if _, err := f.Write(line); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// decodeJournal returns the records up to the first that cannot be read. What follows the last line's
// end is ignored.
func decodeJournal(data []byte) ([]Record, error) {
	var records []Record
	for n := 1; ; n++ {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return records, nil
		}
		data = rest
		r, err := decodeRecord(line)
		if err == nil && r.N != n {
			err = fmt.Errorf("it is numbered %d: lines are missing or doubled", r.N)
		}
		if err != nil {
			return records, fmt.Errorf("line %d: %w", n, err)
		}
		records = append(records, r)
	}
}

func decodeRecord(line []byte) (Record, error) {
	var r Record
	var head struct {
		V int `json:"v"`
	}
	if err := decodeOne(line, &head); err != nil {
		return r, err
	}
	switch {
	case head.V > JournalVersion:
		return r, &newerError{head.V, JournalVersion}
	case head.V < 1:
		return r, errors.New("it has no version")
	}
	if err := decodeOne(line, &r); err != nil {
		return r, err
	}
	switch {
	case r.Phase != Begin && r.Phase != Done && r.Phase != Failed:
		return r, fmt.Errorf("unknown phase %q", r.Phase)
	case r.ID < 1 || r.ID > r.N || (r.Phase == Begin) != (r.ID == r.N):
		return r, fmt.Errorf("act %d cannot %s in record %d", r.ID, r.Phase, r.N)
	}
	return r, nil
}

package lab

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
	"github.com/labctl/labctl/internal/state"
	"github.com/labctl/labctl/scenarios"
)

// Task is what a learner reads of a scenario; its JSON form is public. Neither the fault nor the fix is in it.
type Task struct {
	Scenario   string       `json:"scenario"`
	Type       labfile.Type `json:"type"`
	Title      string       `json:"title"`
	Topic      string       `json:"topic,omitempty"`
	Difficulty string       `json:"difficulty,omitempty"`
	Minutes    int          `json:"minutes,omitempty"`
	Situation  string       `json:"situation,omitempty"`
	Goal       string       `json:"goal,omitempty"`
	Rules      []string     `json:"rules,omitempty"`
	Questions  []Question   `json:"questions,omitempty"`
	After      []Before     `json:"after,omitempty"`
	// Disruptive tells that other scenarios may fail while this one is broken. By what would give the fault away.
	Disruptive bool `json:"disruptive,omitempty"`
	// Needs are what the cluster has to be able to do, in the words of labfile.Capabilities.
	Needs []string        `json:"needs,omitempty"`
	State scenarios.State `json:"state,omitempty"` // empty: it could not be told
	Level labfile.Level   `json:"level,omitempty"`
}

// Before is a scenario to do before another one.
type Before struct {
	Scenario string          `json:"scenario"`
	InLab    bool            `json:"in_lab"`
	State    scenarios.State `json:"state,omitempty"`
}

// Open reports whether there is something left to do in a task, as far as could be seen.
func (t Task) Open() bool {
	return slices.Contains([]scenarios.State{scenarios.Broken, scenarios.Open, scenarios.Changed, scenarios.OriginalGone}, t.State)
}

// Tasks are the tasks of a lab, in the order of its file; its JSON form is public.
type Tasks struct {
	Lab   string `json:"lab"`
	Title string `json:"title,omitempty"`
	Tasks []Task `json:"tasks"`
	// Unseen is why it could not be told of some task where it stands.
	Unseen string `json:"unseen,omitempty"`
}

// Question is what a learner finds out and types: `labctl answer SCENARIO --to ANSWER WORDS`.
type Question struct {
	Answer string `json:"answer"`
	Ask    string `json:"ask"`
}

// TaskOf returns what a learner reads of a scenario, without where it stands.
func TaskOf(sc *labfile.Scenario) Task {
	t := Task{
		Scenario: sc.Name, Type: sc.Type, Title: sc.Title, Topic: sc.Topic, Difficulty: sc.Difficulty, Minutes: sc.Minutes,
		Situation: sc.Situation, Goal: sc.Goal, Rules: sc.Rules, Disruptive: len(sc.Disrupts) > 0, Needs: sc.Needs,
	}
	for _, a := range sc.Answers {
		t.Questions = append(t.Questions, Question{Answer: a.Name, Ask: a.Ask})
	}
	for _, name := range sc.After {
		t.After = append(t.After, Before{Scenario: name})
	}
	return t
}

// Tasks returns the tasks of a lab that is up, or the one of the scenario only. The lab is that of Reopen, and what it
// refuses is refused. The texts are those that were applied, whatever runs: only where a task stands is asked of the
// cluster, which has standsWithin to answer, and Unseen says why it has not.
func (m *Machine) Tasks(ctx context.Context, lab, only string) (*Tasks, error) {
	lab, err := m.pick(ctx, lab)
	if err != nil {
		return nil, err
	}
	files, st, err := m.load(ctx, lab)
	if err != nil {
		return nil, err
	}
	declared, images, err := m.read(st, Whole)
	if err != nil {
		return nil, err
	}
	if only != "" {
		if _, err := scenarioIn(declared, only); err != nil {
			return nil, err
		}
	}
	stands, unseen := m.stands(ctx, declared, images, files, st)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	all := &Tasks{Lab: declared.Name, Title: declared.Title, Tasks: []Task{}, Unseen: unseen}
	for _, sc := range declared.Scenarios {
		if only != "" && sc.Name != only {
			continue
		}
		t := TaskOf(sc)
		t.State, t.Level = stands[sc.Name], m.LevelOf(sc.Definition)
		for i, before := range t.After {
			_, err := scenarioIn(declared, before.Scenario)
			t.After[i].InLab, t.After[i].State = err == nil, stands[before.Scenario]
		}
		all.Tasks = append(all.Tasks, t)
	}
	return all, nil
}

// standsWithin is how long somebody who wants to read a task waits for where it stands.
const standsWithin = 300 * time.Millisecond

// stands asks where each scenario of a lab stands, and says why that is not known of some. It neither asks the engine
// first, which may hang, nor waits for what hangs.
func (m *Machine) stands(ctx context.Context, declared *labfile.Lab, images []string, files *state.Lab, st *state.State) (map[string]scenarios.State, string) {
	ctx, cancel := context.WithTimeout(ctx, standsWithin)
	defer cancel()
	stands := map[string]scenarios.State{}
	l, err := m.compose(ctx, declared, images, files, st)
	if err != nil {
		return stands, err.Error()
	}
	type seen struct {
		name  string
		state scenarios.State
		err   error
	}
	answers := make(chan seen, len(declared.Scenarios))
	var asked sync.WaitGroup
	shared := &kube.Shared{}
	for _, sc := range declared.Scenarios {
		asked.Go(func() {
			r := l.resource(sc)
			r.Shared = shared
			o, err := r.Observe(ctx)
			s := seen{sc.Name, scenarios.State(o.Phase), err}
			if err == nil && s.state == "" { // there is no cluster
				s.state = scenarios.Pristine
			}
			answers <- s
		})
	}
	go func() {
		asked.Wait()
		l.Close()
	}()
	unseen := ""
	for range declared.Scenarios {
		select {
		case s := <-answers:
			if s.err == nil {
				stands[s.name] = s.state
				continue
			}
			if unseen = s.err.Error(); ctx.Err() == nil {
				continue
			}
		case <-ctx.Done():
		}
		return stands, "lab " + declared.Name + " has not answered within " + standsWithin.String()
	}
	return stands, unseen
}

package draft

import (
	"fmt"
	"path"
	"strings"
)

// killercodaStep is a page with its scripts; intro and finish are such too.
type killercodaStep struct {
	Title, Text, Verify, Foreground, Background string
}

type killercodaIndex struct {
	Title, Description, Difficulty, Time string
	Details                              struct {
		Intro, Finish killercodaStep
		Steps         []killercodaStep
		Assets        map[string][]struct{ File, Target string }
	}
}

func readKillercoda(e *exercise) error {
	const file = "index.json"
	var index killercodaIndex
	lines, err := e.decode(file, &index)
	if err != nil {
		return err
	}
	at := lines["details"]
	e.title, e.summary, e.difficulty = index.Title, index.Description, strings.ToLower(index.Difficulty)
	_, _ = fmt.Sscanf(index.Time, "%d", &e.minutes)
	applied := map[string]bool{}
	for i, step := range append([]killercodaStep{index.Details.Intro}, index.Details.Steps...) {
		text := ""
		if step.Text != "" {
			if text, err = e.text(step.Text, file, at); err != nil {
				return err
			}
		}
		if i == 0 {
			e.situation = text
		} else {
			e.goal += fmt.Sprintf("%d. %s\n\n%s\n\n", i, orElse(step.Title, "Step"), strings.TrimSpace(text))
		}
		if err := e.killercodaScripts(step, i, file, at, applied); err != nil {
			return err
		}
	}
	e.carry(file, at, "title, situation and goal")
	if len(index.Details.Steps) > 1 {
		e.todo(file, at, "%d steps are one goal with a check for each; where a later step undoes an earlier one, make a scenario of each", len(index.Details.Steps))
	}
	for _, host := range index.Details.Assets {
		for _, asset := range host {
			name := path.Join("assets", asset.File)
			if _, there := e.files[name]; !there || applied[name] {
				continue
			}
			e.keep("files/"+name, e.files[name])
			e.todo(name, 0, "it was put at %s of a machine: seed it as a manifest, or as a ConfigMap", oneLine(asset.Target, "/"))
		}
	}
	if finish := index.Details.Finish; finish.Foreground+finish.Background != "" {
		e.todo(file, at, "the scripts of the finish page are not carried")
	}
	return nil
}

func (e *exercise) killercodaScripts(step killercodaStep, i int, file string, at int, applied map[string]bool) error {
	for _, script := range []string{step.Background, step.Foreground} {
		if script == "" {
			continue
		}
		if i > 1 {
			text, err := e.text(script, file, at)
			if err != nil {
				return err
			}
			e.keep("files/"+path.Clean(script), []byte(text))
			e.todo(script, 0, "it ran when step %d began: make a scenario of its own of that step, or seed what it makes from the start", i)
			continue
		}
		if err := e.setupNamed(script, file, at, applied); err != nil {
			return err
		}
	}
	if step.Verify == "" {
		return nil
	}
	if _, err := e.text(step.Verify, file, at); err != nil {
		return err
	}
	return e.verifier(fmt.Sprintf("step%d", i), path.Clean(step.Verify), orElse(step.Title, fmt.Sprintf("step %d is done", i)))
}

package draft

import "fmt"

// benchTask is the part of a k8s-bench task.yaml that a scenario can carry.
type benchTask struct {
	Script []struct {
		Prompt     string `yaml:"prompt"`
		PromptFile string `yaml:"promptFile"`
	} `yaml:"script"`
	Setup      string `yaml:"setup"`
	Verifier   string `yaml:"verifier"`
	Cleanup    string `yaml:"cleanup"`
	Difficulty string `yaml:"difficulty"`
	Expect     []struct {
		Contains string `yaml:"contains"`
	} `yaml:"expect"`
}

func readBench(e *exercise) error {
	const file = "task.yaml"
	var task benchTask
	lines, err := e.decode(file, &task)
	if err != nil {
		return err
	}
	prompt := ""
	for i, step := range task.Script {
		text := step.Prompt
		if step.PromptFile != "" {
			if text, err = e.text(step.PromptFile, file, lines["script"]); err != nil {
				return err
			}
		}
		if prompt += text + "\n"; i > 0 {
			e.todo(file, lines["script"], "prompt %d of the task was put after the others: a scenario has one goal", i+1)
		}
	}
	e.page(prompt)
	e.goal, e.difficulty = prompt, task.Difficulty
	e.carry(file, lines["script"], "title, situation and goal")
	e.todo(file, lines["script"], "situation and goal are both the whole prompt: leave in each what belongs there")
	if task.Setup != "" {
		if err := e.setupNamed(task.Setup, file, lines["setup"], map[string]bool{}); err != nil {
			return err
		}
	}
	if task.Verifier != "" {
		if _, err := e.text(task.Verifier, file, lines["verifier"]); err != nil {
			return err
		}
		if err := e.verifier("verify", task.Verifier, "the exercise's own check passes"); err != nil {
			return err
		}
	}
	if task.Cleanup != "" {
		if _, err := e.text(task.Cleanup, file, lines["cleanup"]); err != nil {
			return err
		}
		if err := e.cleanup(task.Cleanup); err != nil {
			return err
		}
	}
	for _, want := range task.Expect {
		e.todo(file, lines["expect"], "%s", fmt.Sprintf("the answer had to contain %q: ask for it with an answer block", oneLine(want.Contains, "")))
	}
	return nil
}

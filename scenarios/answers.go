package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	"github.com/labctl/labctl/internal/labfile"
)

// answer is the evidence of what a learner has typed. It comes from the record, and is read with that.
type answer labfile.Answer

func (a answer) query() kube.Query { return kube.Query{Kind: "Answer", Name: a.Name} }

func (a answer) String() string { return "answer " + a.Name }

func (a answer) read(context.Context, *kube.Client) ([]*unstructured.Unstructured, error) {
	return nil, nil
}

// object is what conditions see of it: words as they were typed, and right where the definition has the right ones.
func (a answer) object(scenario string, given map[string][]string) *unstructured.Unstructured {
	words, typed := given[a.Name]
	says := fmt.Sprintf("%s is not answered yet: `labctl answer %s --to %s WORDS`", a.Name, scenario, a.Name)
	if typed {
		says = "the answer to " + a.Name + " is not the right one"
	}
	list := []any{}
	for _, w := range words {
		list = append(list, w)
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Answer", "metadata": map[string]any{"name": a.Name},
		"words": list, "right": typed && a.Equals != nil && slices.Equal(wordSet(words), wordSet(a.Equals)), "says": says,
	}}
}

// wordSet puts words in an order, each once, whatever their case.
func wordSet(words []string) []string {
	var set []string
	for _, w := range words {
		set = append(set, strings.ToLower(w))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// Answer records what a learner has typed, in place of what was typed before. to is the name of the answer, and may be empty
// where the scenario asks for one alone. Words may be separated by commas too. Whether it is right Check says. Errors of class
// clierr.Usage say what is wrong with the call; of clierr.NotHolding, that the scenario is not seeded.
func (r *Resource) Answer(ctx context.Context, to string, words []string) error {
	asked := r.s.Answers
	if to != "" {
		asked = slices.DeleteFunc(slices.Clone(asked), func(a *labfile.Answer) bool { return a.Name != to })
	}
	var names []string
	for _, a := range r.s.Answers {
		names = append(names, a.Name)
	}
	switch {
	case len(names) == 0:
		return clierr.New(clierr.Usage, "scenario %s asks for no answer", r.s.Name).WithNext("`labctl task %s` says what there is to do.", r.s.Name)
	case len(asked) == 0:
		return clierr.New(clierr.Usage, "scenario %s does not ask for %q; it asks for %s", r.s.Name, to, strings.Join(names, ", "))
	case len(asked) > 1:
		return clierr.New(clierr.Usage, "scenario %s asks for %s", r.s.Name, strings.Join(names, ", ")).WithNext("Say with --to which one this is.")
	}
	var typed []string
	size := 0
	for _, w := range words {
		for _, one := range strings.FieldsFunc(w, func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' }) {
			one = strings.ToValidUTF8(one, "\uFFFD")
			size += len(one)
			typed = append(typed, one)
		}
	}
	if len(typed) == 0 {
		return clierr.New(clierr.Usage, "the answer has no words")
	}
	if size > labfile.MaxAnswer || len(typed) > labfile.MaxAnswerWords {
		return clierr.New(clierr.Usage, "an answer has at most %d words and %d KiB", labfile.MaxAnswerWords, labfile.MaxAnswer>>10)
	}
	sc, client, err := r.open(ctx)
	if err != nil {
		return err
	}
	a, err := sc.assessAnswered(ctx, client)
	if err != nil {
		return err
	}
	if a.record == nil || a.record.Removing || !a.record.Complete || !a.kept {
		return clierr.New(clierr.NotHolding, "%s is not seeded, or not wholly", r.s.Name).WithNext("Run `labctl scenario %s` first.", r.s.Name)
	}
	if a.record.Answers == nil {
		a.record.Answers = map[string][]string{}
	}
	a.record.Answers[asked[0].Name] = typed
	return sc.writeRecord(ctx, client, a.record)
}

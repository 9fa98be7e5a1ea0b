package ec2

import "context"

// Kind says what a question is about, so that --yes need not answer all of them.
type Kind string

// The kinds of question.
const (
	// AskPrice: the shipped table does not know what the instance type costs in the region.
	AskPrice Kind = "price"
	// AskReplace: the host is not as declared any more, or was made by another labctl directory, whose
	// key is not here; it may be at work at this moment. What is on it would be lost.
	AskReplace Kind = "replace"
)

// Question is something that only a person can decide.
type Question struct {
	Kind Kind
	Text string // a full sentence that ends in a question mark
}

// confirm asks each question once and remembers a yes. A question about another instance is another one.
func (h *Host) confirm(ctx context.Context, q Question) (bool, error) {
	if h.asked[q.Text] {
		return true, nil
	}
	if h.Confirm == nil {
		return false, nil
	}
	yes, err := h.Confirm(ctx, q)
	if yes && err == nil {
		if h.asked == nil {
			h.asked = map[string]bool{}
		}
		h.asked[q.Text] = true
	}
	return yes && err == nil, err
}

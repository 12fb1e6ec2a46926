package assert_test

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/whetgo/whet/assert"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	question struct {
		Question string `json:"question"`
	}
	query struct {
		Query string `json:"query"`
	}
	answer struct {
		Answer string `json:"answer"`
	}
)

const oneWord = "Answer must be one word"

// one is a program of one predictor whose answer is to be one word.
type one struct {
	Answer *module.Predict[question, answer]
	check  func(context.Context, bool, string, ...assert.At) error
}

func newOne(m lm.LM, check func(context.Context, bool, string, ...assert.At) error) *one {
	return &one{module.MustPredict[question, answer]("", module.WithLM(m)), check}
}

func (p *one) Run(ctx context.Context, in question) (answer, error) {
	out, err := p.Answer.Run(ctx, in)
	if err != nil {
		return out, err
	}
	return out, p.check(ctx, len(strings.Fields(out.Answer)) == 1, oneWord)
}

// steps is a program of two predictors.
type steps struct {
	Query  *module.Predict[question, query]
	Answer *module.Predict[query, answer]
	// checks is called with the answer.
	checks func(ctx context.Context, q query, a answer) error
}

func newSteps(m lm.LM, checks func(context.Context, query, answer) error) *steps {
	return &steps{
		module.MustPredict[question, query]("", module.WithLM(m)),
		module.MustPredict[query, answer]("", module.WithLM(m)), checks,
	}
}

func (p *steps) Run(ctx context.Context, in question) (answer, error) {
	q, err := p.Query.Run(ctx, in)
	if err != nil {
		return answer{}, err
	}
	out, err := p.Answer.Run(ctx, q)
	if err != nil {
		return out, err
	}
	return out, p.checks(ctx, q, out)
}

// reply writes fields as Chat reads them.
func reply(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString("[[ ## " + pairs[i] + " ## ]]\n" + pairs[i+1] + "\n\n")
	}
	return b.String() + "[[ ## completed ## ]]"
}

// asked returns the fields of a request's last message, in order, as name=value.
func asked(r *lm.Request) []string {
	var out []string
	text := r.Messages[len(r.Messages)-1].Text()
	text, _, _ = strings.Cut(text, "\n\nRespond with")
	for _, part := range strings.Split(text, "[[ ## ")[1:] {
		name, value, _ := strings.Cut(part, " ## ]]\n")
		out = append(out, name+"="+strings.TrimSpace(value))
	}
	return out
}

func allAsked(m *lmtest.Scripted) [][]string {
	var out [][]string
	for _, r := range m.Requests() {
		out = append(out, asked(r))
	}
	return out
}

// field returns a field of a request's last message, "" where it has none.
func field(r *lm.Request, name string) string {
	for _, f := range asked(r) {
		if n, v, _ := strings.Cut(f, "="); n == name {
			return v
		}
	}
	return ""
}

package module

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// Retry lets a module ask again, up to n times, when a reply cannot be read: the
// model is shown its reply and what is wrong with it, as DSPy's TypedPredictor did.
// The default is 0: an unreadable reply is an error, and no call is made that was
// not asked for. Every further call counts in Usage, and the replies that led to it
// are in Prediction.Rejected and in the trace.
//
// A raw prompt, such as adapter.Compact's, has no place for a complaint: it is sent
// again as another rollout, at a temperature of at least 0.7. After a reply that the token
// limit cut off nothing is asked again, since the next would be cut off, too.
func Retry(n int) Option { return func(o *options) { o.retries = n } }

// JSONFallback lets a module ask once more through adapter.JSON when a reply cannot
// be read, before any [Retry], as DSPy does by default; also when the token limit cut it
// off before anything could be read, as JSON may take fewer. The default is off.
func JSONFallback() Option { return func(o *options) { o.jsonFallback = true } }

// NoShape keeps the form of the reply from the backend, so that the model writes
// what it likes and the reply is read afterwards. The default is to send it.
func NoShape() Option { return func(o *options) { o.noShape = true } }

// Rejected is a reply that could not be read, so that the model was asked again.
type Rejected struct {
	// Adapter names the adapter that asked.
	Adapter string
	// Raw is the reply as it came, Usage what it cost.
	Raw   string
	Usage lm.Usage
	// Err says what is wrong with it.
	Err error
}

// retryTemperature is the least temperature at which a raw prompt is sent again.
const retryTemperature = 0.7

// spent is what a call has used up so far.
type spent struct {
	last     *lm.Response // nil when none came
	rejected []Rejected
	usage    lm.Usage // of all replies, and of what had come of one that broke off
}

// question is one way to ask.
type question struct {
	adapter  string
	template adapter.Template
	req      *lm.Request
	rollout  rollout
	seed     *uint64 // of the first rollout; nil for none
}

// ask returns the prediction and, also when that fails, what was paid for.
func (p *Predictor) ask(ctx context.Context, c PredictorCall, read func(signature.Record) error) (*Prediction[signature.Record], *spent, error) {
	used := &spent{}
	if err := ctx.Err(); err != nil {
		return nil, used, err
	}
	prep, err := p.extended(p.current(ctx), c.Extra)
	if err != nil {
		return nil, used, err
	}
	model, err := p.model(ctx, prep.state)
	if err != nil {
		return nil, used, err
	}
	in := c.whole()
	q, err := p.question(ctx, p.options.adapter.Name(), prep.template, in)
	if err != nil {
		return nil, used, err
	}
	first := q
	pred, err := p.attempt(ctx, model, q, in, read, used)
	for retries := 0; ; {
		var pe *adapter.ParseError
		if err == nil || !errors.As(err, &pe) {
			break
		}
		cut := errors.As(err, new(*TruncatedError)) || len(used.rejected) > 0 && errors.As(used.rejected[0].Err, new(*TruncatedError))
		asked := q.adapter
		switch {
		case p.options.jsonFallback && prep.fallback != nil && len(used.rejected) == 0:
			template, err := prep.fallback()
			if err != nil {
				return nil, used, err
			}
			if q, err = p.question(ctx, adapter.JSON{}.Name(), template, in); err != nil {
				return nil, used, err
			}
		case retries < p.options.retries && !cut:
			retries++
			reply := used.last.Text
			if retries == 1 {
				q = first // the form that was chosen, and not the fallback's
			}
			if retries == 1 && len(used.rejected) > 0 { // nor its reply
				reply = used.rejected[0].Raw
				errors.As(used.rejected[0].Err, &pe)
			}
			q = q.again(reply, pe, retries)
		default:
			return nil, used, err
		}
		used.rejected = append(used.rejected, Rejected{Adapter: asked, Raw: used.last.Text, Usage: used.last.Usage, Err: err})
		pred, err = p.attempt(ctx, model, q, in, read, used)
	}
	if err != nil {
		return nil, used, err
	}
	pred.Usage, pred.Rejected = used.usage, used.rejected
	return pred, used, nil
}

func (p *Predictor) question(ctx context.Context, name string, t adapter.Template, in signature.Record) (question, error) {
	req, err := t.Request(in)
	if err != nil {
		return question{}, err
	}
	p.options.apply(req)
	if t, ok := ctx.Value(temperatureKey{}).(float64); ok {
		req.Temperature = lm.Temperature(t)
	}
	q := question{name, t, req, rolloutIn(ctx), req.Seed}
	q.rollout.draw(req, q.seed)
	return q, nil
}

// attempt asks once.
func (p *Predictor) attempt(ctx context.Context, model lm.LM, q question, in signature.Record, read func(signature.Record) error, used *spent) (*Prediction[signature.Record], error) {
	resp, err := p.generate(ctx, model, q)
	if err != nil {
		used.usage = used.usage.Add(lm.UsageOf(err)) // what had come of the reply was paid
		return nil, err
	}
	if resp == nil {
		return nil, &lm.Error{Kind: lm.ErrBackend, Model: lm.NameOf(model), Message: "the model returned neither a reply nor an error"}
	}
	used.last, used.usage = resp, used.usage.Add(resp.Usage)
	out, repairs, err := q.template.Parse(resp.Text, in)
	var pe *adapter.ParseError
	switch cut := resp.Finish == lm.FinishLength; {
	case cut && errors.As(err, &pe):
		err = &TruncatedError{Field: pe.Field, MaxTokens: q.req.MaxTokens, Raw: resp.Text, Err: err}
	case cut && err == nil:
		err = p.truncated(q.template, in, q.req, resp, out, repairs)
	}
	if err != nil {
		return nil, err
	}
	if read != nil {
		if err := read(out); err != nil {
			return nil, p.misfit(q.adapter, err, out, resp.Text)
		}
	}
	return &Prediction[signature.Record]{
		Out: out, Choices: p.choices(resp.Choices), Logprobs: resp.Logprobs, Repairs: repairs, Raw: resp.Text,
		Model: resp.Model, Shaped: resp.Shaped, Finish: resp.Finish,
	}, nil
}

// again asks the same once more and says what was wrong with the reply.
func (q question) again(reply string, pe *adapter.ParseError, n int) question {
	req := q.req.Clone()
	q.req = req
	if len(req.Messages) == 0 {
		q.rollout.next(n).draw(req, q.seed)
		if req.Temperature == nil || *req.Temperature < retryTemperature {
			req.Temperature = lm.Temperature(retryTemperature)
		}
		return q
	}
	if strings.TrimSpace(reply) == "" {
		reply = "(nothing)" // some backends refuse an empty turn
	}
	req.Messages = append(req.Messages, lm.Assistant(reply), lm.User(complaint(pe)))
	return q
}

// complaint tells the model what is wrong with its reply.
func complaint(pe *adapter.ParseError) string {
	problem := fmt.Sprintf("The field `%s` must be %s", pe.Field, pe.Expected)
	switch {
	case pe.Field == "":
		problem = "It cannot be read: " + pe.Error()
	case pe.Missing:
		problem = fmt.Sprintf("The field `%s` is missing; it must be %s", pe.Field, pe.Expected)
	case pe.Got != "":
		problem += ", and you wrote: " + shorten(pe.Got)
	}
	return "Your last reply cannot be used. " + problem + ".\n\nReply again to the same request, with all fields and in the form that it asks for."
}

// shorten cuts what is quoted to a length that a prompt can afford.
func shorten(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

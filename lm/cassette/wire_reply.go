package cassette

import (
	"errors"
	"time"

	"github.com/whetgo/whet/internal/wire"
	"github.com/whetgo/whet/lm"
)

// failure is an error as a cassette holds it: the first *lm.Error of its chain.
type failure struct {
	// Text is the whole error, where it is more than the *lm.Error, or has none.
	Text          text           `json:"text,omitempty"`
	Kind          text           `json:"kind,omitempty"`
	Provider      text           `json:"provider,omitempty"`
	Model         text           `json:"model,omitempty"`
	Message       text           `json:"message,omitempty"`
	Status        int            `json:"status,omitempty"`
	Code          text           `json:"code,omitempty"`
	RetryAfter    string         `json:"retry_after,omitempty"`
	RequestID     text           `json:"request_id,omitempty"`
	Partial       *response      `json:"partial,omitempty"`
	ContextLength *contextLength `json:"context_length,omitempty"`
	Cause         text           `json:"cause,omitempty"`
}

type contextLength struct {
	Prompt int `json:"prompt"`
	Reply  int `json:"reply"`
	Limit  int `json:"limit"`
}

func wireError(err error) *failure {
	e, ok := errors.AsType[*lm.Error](err)
	if !ok {
		return &failure{Text: text(err.Error())}
	}
	f := &failure{
		Kind: text(e.Kind), Provider: text(e.Provider), Model: text(e.Model), Message: text(e.Message), Status: e.Status,
		Code: text(e.Code), RequestID: text(e.RequestID), Partial: wire.FromResponse(e.Partial),
	}
	if e.RetryAfter != 0 {
		f.RetryAfter = e.RetryAfter.String()
	}
	tooLong, isTooLong := errors.AsType[*lm.ContextLengthError](e.Err)
	if isTooLong {
		c := contextLength(*tooLong)
		f.ContextLength = &c
	}
	if e.Err != nil && !(isTooLong && e.Err.Error() == tooLong.Error()) {
		f.Cause = text(e.Err.Error())
	}
	if whole := err.Error(); whole != e.Error() || e.Kind == "" {
		f.Text = text(whole)
	}
	return f
}

// lm returns the error; the second one is that it cannot be read.
func (w *failure) lm() (replayed, err error) {
	if w.Kind == "" {
		return &recorded{text: string(w.Text)}, nil
	}
	e := &lm.Error{
		Kind: lm.ErrorKind(w.Kind), Provider: string(w.Provider), Model: string(w.Model), Message: string(w.Message), Status: w.Status,
		Code: string(w.Code), RequestID: string(w.RequestID), Partial: w.Partial.LM(),
	}
	if w.RetryAfter != "" {
		if e.RetryAfter, err = time.ParseDuration(w.RetryAfter); err != nil {
			return nil, err
		}
	}
	if w.ContextLength != nil {
		c := lm.ContextLengthError(*w.ContextLength)
		e.Err = &c
	}
	if w.Cause != "" {
		e.Err = &recorded{string(w.Cause), e.Err}
	}
	if w.Text != "" {
		return &recorded{string(w.Text), e}, nil
	}
	return e, nil
}

// recorded is an error of which a cassette has the text, and maybe what it wraps.
type recorded struct {
	text string
	err  error
}

func (e *recorded) Error() string { return e.text }

func (e *recorded) Unwrap() error { return e.err }

package lm_test

import (
	"context"
	"testing"

	"github.com/whetgo/whet/lm"
)

func TestQueues(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if q := lm.QueueOf(ctx); q != nil {
		t.Errorf("a context without a line has the line %p", q)
	}
	one, other := lm.WithQueue(ctx), lm.WithQueue(ctx)
	inner, cancel := context.WithCancel(one)
	defer cancel()
	switch q := lm.QueueOf(one); {
	case q == nil:
		t.Error("the context has no line")
	case q != lm.QueueOf(inner):
		t.Error("a context that is made of another is in another line")
	case q == lm.QueueOf(other):
		t.Error("two lines are one")
	case q == lm.QueueOf(lm.WithQueue(one)):
		t.Error("a new line in place of another is the same")
	case q != lm.QueueOf(one):
		t.Error("the line of a context has changed")
	}
}

package lm

import "context"

// queueKey is the context's key; a queue is the address of one.
type queueKey struct{}

// Queue stands for requests that wait in a line of their own; see [WithQueue].
type Queue struct{ _ byte }

// WithQueue returns a context whose requests wait in a new line of their own where a
// backend cannot take all requests at once: lines take turns, so that a thousand
// requests of one program hold up the one request of another only as far as they have
// been let in. An evaluation makes one for itself. Requests of contexts without one share a line.
func WithQueue(ctx context.Context) context.Context {
	return context.WithValue(ctx, queueKey{}, new(Queue))
}

// QueueOf returns the context's line, or nil; it is for backends.
func QueueOf(ctx context.Context) *Queue {
	q, _ := ctx.Value(queueKey{}).(*Queue)
	return q
}

package balance

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/whetgo/whet/internal/health"
	"github.com/whetgo/whet/lm"
)

// maxWeight keeps the products of weights and requests in flight small.
const maxWeight = 1_000_000

// Member is an LM among several that answer alike.
type Member struct {
	LM lm.LM
	// Weight is its share: a member of weight 2 takes twice as many requests at once as
	// one of weight 1. 0 means 1; more than a million is an error.
	Weight int
}

// LM gives each request to one of several LMs. It is safe for concurrent use.
type LM struct {
	onward   func(error) bool
	attempts int

	mu      sync.Mutex // guards the members' counts
	members []*member
}

type member struct {
	lm       lm.LM
	weight   int
	breaker  *health.Breaker
	inFlight int
	requests int
	// turn orders members that are equal otherwise: see pick.
	turn int
}

// New balances over LMs of equal weight; see [Weighted].
func New(lms []lm.LM, opts ...Option) (*LM, error) {
	members := make([]Member, len(lms))
	for i, m := range lms {
		members[i].LM = m
	}
	return Weighted(members, opts...)
}

// Weighted balances over members. No member at all, one whose LM is nil, a weight that
// cannot be, names that differ without [Mixed], and an option that cannot be are errors of
// kind lm.ErrInvalidRequest.
func Weighted(members []Member, opts ...Option) (*LM, error) {
	c := config{onward: Default, failures: health.DefaultFailures, cooldown: health.DefaultCooldown, attempts: len(members)}
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			return nil, err
		}
	}
	if len(members) == 0 {
		return nil, invalid("there is no member; give at least one")
	}
	b := &LM{onward: c.onward, attempts: c.attempts}
	for i, m := range members {
		switch {
		case m.LM == nil:
			return nil, invalid("the LM of member %d is nil", i+1)
		case m.Weight < 0 || m.Weight > maxWeight:
			return nil, invalid("the weight of member %d is %d; it must be 0 (for 1) to %d", i+1, m.Weight, maxWeight)
		}
		if m.Weight == 0 {
			m.Weight = 1
		}
		b.members = append(b.members, &member{lm: m.LM, weight: m.Weight, breaker: health.NewBreaker(c.failures, c.cooldown)})
	}
	if !c.mixed {
		if err := b.alike(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// alike reports members of which nobody can tell that they are the same model.
func (b *LM) alike() error {
	names := b.names()
	for i, name := range names {
		switch {
		case len(names) == 1:
		case name == "":
			return invalid("member %d has no name, so that nobody can tell whether it answers like the others; give it one (lm.Named), or allow it with Mixed", i+1)
		case name != names[0]:
			return invalid("member %d is %q and member 1 is %q: a cache in front would mix their replies; use one model, or allow it with Mixed", i+1, name, names[0])
		}
	}
	return nil
}

func (b *LM) names() []string {
	names := make([]string, len(b.members))
	for i, m := range b.members {
		names[i] = lm.NameOf(m.lm)
	}
	return names
}

// Name implements lm.Named: the name that all members have, or, for Mixed ones, a list such
// as "balance(a | b)"; empty where a member has none.
func (b *LM) Name() string { return health.Name("balance", b.names()) }

// Generate implements lm.LM.
func (b *LM) Generate(ctx context.Context, r *lm.Request) (*lm.Response, error) {
	return b.try().Generate(ctx, r)
}

// Stream implements lm.Streamer. Another member is asked only while nothing was shown.
func (b *LM) Stream(ctx context.Context, r *lm.Request) iter.Seq2[*lm.Event, error] {
	return func(yield func(*lm.Event, error) bool) {
		b.try().Stream(ctx, r)(yield)
	}
}

// Stat is how a member is doing.
type Stat struct {
	// Name is the member's; it may be empty.
	Name string
	// Weight is its share.
	Weight int
	// Requests is how many it was given, InFlight how many of them have not ended, and
	// Failures how many of them, the last ones in a row, have failed.
	Requests, InFlight, Failures int
	// Down reports that it gets no requests, and Wait for how long still until one tries
	// it again.
	Down bool
	Wait time.Duration
}

// Stats returns how each member is doing, in order.
func (b *LM) Stats() []Stat {
	names := b.names()
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Stat, len(b.members))
	for i, m := range b.members {
		out[i] = Stat{Name: names[i], Weight: m.weight, Requests: m.requests, InFlight: m.inFlight}
		out[i].Failures, out[i].Down, out[i].Wait = m.breaker.State()
	}
	return out
}

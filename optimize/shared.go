package optimize

import "github.com/whetgo/whet/lm"

// Store keeps the answers of language models in memory, so that several searches
// and evaluations pay each identical request once: put it before the model with
// [Store.Wrap], and give the program the wrapped model. A choice that ends a
// reply is answered under any biases by one stored answer. Errors are not kept,
// and there is no limit on what is. A Store is safe for concurrent use, and
// requests that are the same at the same time are asked once.
//
// [Compile] has a store of its own for one search; it needs none from outside.
type Store struct{ store *store }

// NewStore returns an empty store.
func NewStore() *Store { return &Store{newStore()} }

// Wrap returns m with the store before it. What m can besides answering is found through
// it: see lm.As.
func (s *Store) Wrap(m lm.LM) lm.LM { return s.store.wrap(m) }

// Calls returns how many calls were requested through the store, and how many of
// them were paid.
func (s *Store) Calls() Calls {
	return s.store.total().Calls
}

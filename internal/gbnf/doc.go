// Package gbnf makes grammars that hold a language model's output to a form: the
// JSON values that a JSON Schema describes, the texts that a regular expression
// matches, numbers, literal text, and sequences and choices of these.
//
//	g, err := gbnf.FromSchema([]byte(`{"type": "array", "items": {"type": "integer"}}`))
//	state := g.Start()
//	state, ok := state.Advance("[12") // false: no text of the grammar continues so
//	state.Shortest()                  // "]", what completes it
//
// A [Grammar] has two forms. [Grammar.String] writes it in GBNF, the notation of
// llama.cpp, for a server that checks the tokens itself. [Grammar.Start] is the
// beginning of a match in this process: a [State] says which text may follow and
// which must.
//
// # What a grammar of a schema accepts
//
// Whatever it accepts is JSON and validates against the schema, without exception. The
// other way round, a valid value is accepted in one form, that of Python's json.dumps:
//
//   - one space behind a comma and a colon, none elsewhere
//   - the keys of an object in the order in which the schema has them, where it names
//     any, and then no others; any keys, in any order, where it names none
//   - texts in raw UTF-8, with the escapes of JSON but for those of surrogates; texts
//     that must match a pattern with escapes only where JSON needs them
//   - numbers without an exponent, with at most 18 digits before the point and 17
//     behind it: a whole number fits into an int64. With a bound that is itself left
//     out, a fraction has at most 15 digits in all, so that it is on the right side of
//     the bound as a float64, too. Multiples of a divisor with many digits, such as 97,
//     have fewer digits, and none more behind the point than the divisor; with a bound,
//     zero has no sign.
//   - at most 65,536 characters, items or keys where their number has a limit
//   - a text with a known format (date, time, date-time, uuid, ipv4, hostname, email,
//     uri) in that format, although a schema's format by itself demands nothing
//
// A schema that cannot be held to this is refused with an [UnsupportedError], never
// approximated.
//
// # How it matches
//
// Grammars are compiled to a pushdown automaton over bytes, so that a token may end in
// the middle of a character. A state is a set of places in the grammar, each with a
// stack of what is to come behind it; stacks share their tails. Repetitions are
// counted on the stack, not spelled out. States are made when a text first reaches
// them and kept, within a limit, as they do not depend on the text that led there: a
// text that was seen before costs a table lookup for each byte. A state has at most 2,048
// places; a recursive schema whose choices overlap, such as arrays of itself in two ways,
// may come to more, and some of its values are then refused.
//
// A [Grammar] and its states are immutable to their users and safe for concurrent use.
package gbnf

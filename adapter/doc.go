// Package adapter turns the call of a signature into a request to a language
// model, and the model's reply into fields.
//
// [Chat] and [JSON] speak DSPy 3's wire formats, so that prompts and programs move
// between Go and Python unchanged. [Compact] is whet's own layout: few tokens, and
// everything that is the same for all questions before what is not, which makes
// small models in the process many times faster.
//
// An adapter works in two steps, because most of a prompt never changes:
// Prepare renders instructions and demos once, and the [Template] that it returns
// adds the inputs of each call. A request also carries the Shape of the reply,
// which a backend may enforce; any other backend's reply is parsed. What an adapter
// cannot write, such as an image in a raw prompt, is a [*FormatError].
//
// A reply that cannot be understood is a [*ParseError] that holds the whole
// reply and names the field: never a zero value. What a parser forgave is a
// [Repair].
package adapter

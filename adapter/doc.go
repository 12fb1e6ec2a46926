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
//
// What an adapter writes as an answer it reads back as the same value, with these
// exceptions, which are DSPy's, too. Under a marker a text loses the white space at
// its ends, all line ends become \n, and an absent text (an Optional[str]) comes back
// as "None". Code and Reasoning lose fences, and a text of theirs that is a JSON
// string or an object with the text in it is that text; a text for Any, or for a
// union without None, that reads as JSON is what it reads as. Images, sounds and
// files are written as DSPy writes them, which no parser reads. In Compact all white
// space of a text is one space.
//
// Unless Strict, a reply that has not the form that was asked for is searched: for
// malformed markers and markers within a line, names with a colon, JSON, and at last
// for a bare answer. Whatever is found so must be the only answer, and counts only if
// it does not stand in an input, too: a model that repeats its input has not
// answered, whatever that says.
package adapter

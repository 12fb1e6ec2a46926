// Package jsonrepair reads the JSON that language models write, which is not
// always JSON. DSPy reads replies with the Python package json_repair, so a reply
// must mean the same value here as it does there: a field that one of them finds
// and the other does not changes the score of a program.
//
// JSON proper is read as it is. Anything else is repaired, for which the rules are
// those of json_repair 0.64.6 as seen from outside, in a design of its own:
//
//   - Outside of lists, objects and parentheses all text is prose and ignored. Of
//     several values all are returned, as a list; one in the shape of the one
//     before it replaces it, unless there is a comma between them.
//   - Within them, missing brackets, commas, colons, quotes and values are made up
//     for, and those too many dropped. Comments, code fences, Python's literals,
//     tuples and sets are understood.
//   - What looks like a number and is none (1,234 or 10/20) is a text. 42 is an
//     integer and 42.0 is not.
//   - The hard part is where a string ends, as models forget to escape quotes and
//     to write them. [text] has the rules; they depend on whether the string is a
//     key, a value or an item, and on what follows the quote, comma or bracket.
//
// Files: parse.go is the way in. strict.go reads JSON proper. parser.go, list.go,
// object.go, group.go and number.go read values that may be broken; notempty.go has
// the second thoughts about objects in which no member was found. text.go reads
// strings, textread.go their inside rune by rune, and quote.go, comma.go, escape.go
// and container.go judge the runes that are hard to judge. source.go finds things
// in the text ahead in constant time and counts the work.
//
// # Differences
//
// These are on purpose; tests hold all that can be tested.
//
//   - NaN, Infinity and numbers beyond float64 are texts: a record cannot hold
//     them as numbers. In broken JSON json_repair has texts too.
//   - Integers beyond int64 are float64.
//   - The two halves of a surrogate pair, escaped one by one in a string that needs
//     repair, are the character they stand for, and half of one is U+FFFD. Python
//     has strings that cannot be written as UTF-8 there.
//   - Nesting beyond 200 levels is no result. In Python the limit is about 1000 of
//     its own calls, and what passes it an exception.
//   - Work beyond a multiple of the text's length is no result. json_repair takes
//     the square of the length then: long texts of nothing but open brackets or
//     sets, say. Texts of models stay below a fifth of the limit.
//   - A value in a fenced block that stands in the place of a key is no key;
//     json_repair fails with an assertion.
//   - Any number of comments and slashes may stand in prose; json_repair fails
//     beyond some hundreds.
//   - A parenthesis that closes within an open bracket or brace, as in ([a)], is not
//     counted against those around it when parentheses in prose are judged.
//   - Of the digits that are not decimal ones only raised and lowered ones count,
//     and letters are those of Go's Unicode tables.
package jsonrepair

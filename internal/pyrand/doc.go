// Package pyrand produces the random numbers of CPython's random.Random(seed),
// bit for bit: the optimizers that are ported from DSPy draw the same examples
// in the same order as the original.
//
// The generator is the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998),
// seeded as CPython seeds it from an integer. What is drawn from it follows
// CPython 3.11's random module; the versions from 3.2 on draw alike, except that
// sample has taken only sequences since 3.11.
//
// A [Rand] is not safe for concurrent use.
package pyrand

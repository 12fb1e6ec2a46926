// Package starlark runs code that a language model wrote, in Starlark, a small language
// that reads like Python, and in a child process of its own. It is the interpreter of a
// module.ProgramOfThought:
//
//	func main() {
//		starlark.Child() // first thing: in a child process it does not return
//		interpreter, err := starlark.New()
//		solve, err := module.NewProgramOfThought[Question, Answer]("Solve the task.", interpreter)
//		...
//	}
//
// It is a Go module of its own, so that nobody downloads Starlark who does not use it.
//
// # The child process
//
// Each piece of code has a process of its own, which ends with it: nothing is left for the
// next. The process is the program itself, started a second time: [Child] at the beginning
// of main (of TestMain in tests) takes over there, and returns at once everywhere else.
// What runs before main, such as package initialisation, runs in the child, too; a program
// in which that is slow, or that cannot call Child, installs module/starlark/cmd/whet-starlark
// and names it with [Command]. Without either, [New] returns [ErrNoChild].
//
// The child has an empty environment, the root as its directory, and two pipes. When the
// parent ends, it ends as well: its standard input closes, and Linux kills it besides.
// When it crashes, is killed or says what nobody understands, the parent has an error.
//
// # What the code has
//
// Starlark with while, if and for outside functions, recursion, sets and variables that
// can be set again; print, json and math; of Python also sum, round and pow; the inputs as
// variables, and all of them in the dictionary inputs, also those whose names are keywords;
// and SUBMIT, which hands the result over and ends the code. There is nothing else: no load, no import,
// no files, processes, network, clock, or random numbers. An input hides what has its
// name, but for inputs and SUBMIT.
//
// A result is made of None, booleans, numbers, strings, lists, tuples, sets and dictionaries.
// Integers beyond 64 bits become strings of digits, tuples and sets lists, and keys that
// are no strings are written as Python's json does.
//
// # Limits
//
// All are per piece of code; meeting one is a *module.InterpreterError of kind
// module.ErrCodeLimit that names it.
//
//   - [MaxSteps]: 50,000,000 steps of the interpreter.
//   - [Timeout]: 5 s since the code began. What cannot be interrupted, as the multiplication
//     of two huge numbers, is killed half a second later.
//   - [MaxMemory]: 128 MiB held at once, looked at every 5 ms. On Linux the child's data is
//     bounded besides, at twice that and 128 MiB for the process itself, so that one huge
//     allocation does no harm (sixteen times as much under the race detector, which needs it); on
//     other systems it can exceed the limit for some milliseconds.
//   - [MaxOutput]: 32 KiB printed, and 32 KiB handed over.
//   - depth: 64 MiB of stack, or half of MaxMemory where that is less: tens of thousands
//     of calls or brackets within each other.
//   - source: 1 MiB of code.
//
// On Linux the child can open no file and write none (RLIMIT_NOFILE, RLIMIT_FSIZE), and
// its processor time is bounded, should the parent be stopped.
//
// # Concurrency
//
// An [Interpreter] may be used by any number of goroutines. [Concurrency] bounds how many
// children run at once, by default as many as the Go runtime uses processors; others wait.
package starlark

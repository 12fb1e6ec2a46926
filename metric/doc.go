// Package metric says how good answers are.
//
// A [Metric] scores one answer: [Exact] compares all fields, [ExactOn] a key of
// them, and any function of that type will do, also one that asks a language
// model. An [Objective] scores a program on a whole data set where the mean of
// the rows is misleading: on unbalanced classes a program that always answers
// the most frequent label has a good accuracy and a bad [MacroF1]. A [Confusion]
// matrix shows where the answers go wrong.
//
// A figure on a few hundred rows is uncertain. [Wilson] gives the interval of a
// proportion, [PairedBootstrap] that of any objective, and [BootstrapDifference]
// that of the difference between two programs on the same rows, which is what
// decides whether one is better.
//
// Failed rows are never dropped: they count as wrong in every objective, and
// stand in a column of their own in the matrix.
//
// Scores have no unit; more is better. Everything is deterministic: what needs
// random numbers takes a seed. Functions and the values that they return are
// safe for concurrent use, except that a [Confusion] must not be changed while
// others read it.
package metric

// Package fromdspy holds the Go side of docs/from-dspy.md as runnable examples. A
// test sees to it that the page shows nothing else.
package fromdspy

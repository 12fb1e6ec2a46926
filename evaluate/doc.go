// Package evaluate runs a program over a data set and reports how good it is.
//
//	dev, err := evaluate.ReadCSV[SMS, Verdict]("dev.csv",
//		evaluate.Column("label", "LABEL"), evaluate.Map("label", strings.ToLower))
//	report, err := evaluate.Run(ctx, program, dev, metric.Exact)
//	fmt.Print(report)
//
// [Run] calls the program on several rows at once and gives back a [Report]
// whose rows stand in the order of the data, whatever order they finished in. A
// row that fails keeps its error and its example and counts as wrong; it does not
// stop the others. A cancelled context gives the partial report together with
// the context's error.
//
// The score is the mean of the metric unless [By] sets another objective. What
// is printed holds no times unless asked for, so that two runs with the same
// answers print the same text.
//
// Data sets come from CSV ([ReadCSV], [DecodeCSV]) and JSON lines ([ReadJSONL],
// [DecodeJSONL]). Reading is strict: what does not fit the types is a
// [*DataError] with file, line and column. [Split] divides a data set into parts
// in which each class has its share.
//
// Where a program asserts something (package assert), the report counts what failed, what
// of it a later try has mended, and the rows in which something stayed unmet.
//
// Panics of the program or the metric are not recovered: they are bugs and end
// the process as anywhere in Go.
package evaluate

package metric

import (
	"errors"
	"fmt"
	"strings"
)

var errNoOutcomes = errors.New("metric: no rows to score")

// LabelError is a label that is not in the label set.
type LabelError struct {
	// Row is the ID of the row; empty when it has none.
	Row string
	// Label is what stands there, Known the label set.
	Label string
	Known []string
}

// Error names row, label and label set.
func (e *LabelError) Error() string {
	row := ""
	if e.Row != "" {
		row = " of row " + e.Row
	}
	return fmt.Sprintf("metric: the true label %q%s is none of %s", e.Label, row, strings.Join(e.Known, ", "))
}

// labelSet is a fixed, ordered set of labels.
type labelSet struct {
	labels []string
	index  map[string]int
}

// newLabelSet makes a label set of the labels, or of L's Enum() when there are
// none.
func newLabelSet[L ~string](labels []L) (*labelSet, error) {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = string(l)
	}
	if len(names) == 0 {
		var zero L
		enum, ok := any(zero).(interface{ Enum() []string })
		if !ok {
			enum, ok = any(&zero).(interface{ Enum() []string })
		}
		if !ok {
			return nil, fmt.Errorf("metric: no label set: name the labels, or give %T a method Enum() []string", zero)
		}
		names = enum.Enum()
	}
	return makeLabelSet(names)
}

func makeLabelSet(names []string) (*labelSet, error) {
	if len(names) == 0 {
		return nil, errors.New("metric: the label set is empty")
	}
	s := &labelSet{labels: names, index: make(map[string]int, len(names))}
	for i, n := range names {
		if _, ok := s.index[n]; ok {
			return nil, fmt.Errorf("metric: the label set has %q twice", n)
		}
		s.index[n] = i
	}
	return s, nil
}

// indexes returns the positions of true and given labels in the set; the given
// one of a failed or invalid row is len(set.labels).
func indexes[Out any, L ~string](set *labelSet, outcomes []Outcome[Out], label func(Out) L) (truth, got []int, err error) {
	truth, got = make([]int, len(outcomes)), make([]int, len(outcomes))
	for i, o := range outcomes {
		l := string(label(o.Truth))
		t, ok := set.index[l]
		if !ok {
			row := o.ID
			if row == "" {
				row = fmt.Sprintf("number %d", i+1)
			}
			return nil, nil, &LabelError{Row: row, Label: l, Known: set.labels}
		}
		truth[i], got[i] = t, len(set.labels)
		if !o.Failed {
			if g, ok := set.index[string(label(o.Got))]; ok {
				got[i] = g
			}
		}
	}
	return truth, got, nil
}

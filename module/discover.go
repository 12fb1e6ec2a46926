package module

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/whetgo/whet/internal/snake"
)

// ErrNoPredictors is returned for a program in which no predictor was found.
var ErrNoPredictors = errors.New("no predictor found: keep modules in exported fields, or let the program list them with a method Predictors() iter.Seq2[string, *module.Predictor]")

// ErrCopied is returned for a program in which a [Predictor] is held by value
// where Go hands out copies of it: in a map, or in a struct that was itself passed
// by value. A copy is another predictor, so that optimizers and files would change
// what the program never calls.
var ErrCopied = errors.New("the predictor is a copy; hold it by pointer (*module.Predictor), or pass the program by pointer")

// Named is a predictor and its name within a program.
type Named struct {
	Name      string
	Predictor *Predictor
}

// Lister is a program or module that names its predictors itself: one that keeps
// them in closures or unexported fields.
type Lister interface {
	Predictors() iter.Seq2[string, *Predictor]
}

// core is a module that is one predictor.
type core interface{ Predictor() *Predictor }

// Predictors returns the predictors of a program, each once, in declaration
// order. It looks through exported fields, pointers, interfaces, arrays, slices
// and maps with string keys (sorted). The names are those that DSPy would give:
// the snake-case of the Go field, or what the tag `dspy:"name"` says, then
// "classify.predict", "hops[0]", "by_topic['sports']"; "self" for a program that
// is itself one predictor. Two predictors of one name are an error, and none is
// [ErrNoPredictors].
//
// Fields of embedded structs count as the outer struct's, also where the embedded
// type is unexported. A type that embeds a module is more than that module: all
// its fields are searched, unless it is a [Lister] on its own account. A method
// Predictors that lists just what an embedded field lists is taken for that
// field's, which Go promoted; leave other fields out with `dspy:"-"`.
//
// Modules may be held by value, since copies of a [Predict] share its predictor; a
// bare Predictor may not where it would be copied: that is [ErrCopied].
func Predictors(program any) ([]Named, error) {
	w := walker{seen: map[*Predictor]bool{}, visited: map[visit]bool{}}
	w.walk("", reflect.ValueOf(program), false)
	if w.err != nil {
		return nil, fmt.Errorf("module: program %T: %w", program, w.err)
	}
	if len(w.found) == 0 {
		return nil, fmt.Errorf("module: program %T: %w", program, ErrNoPredictors)
	}
	names := map[string]bool{}
	for _, n := range w.found {
		if names[n.Name] {
			return nil, fmt.Errorf("module: program %T: two predictors are named %q; rename one field with a dspy tag", program, n.Name)
		}
		names[n.Name] = true
	}
	return w.found, nil
}

// visit is a pointer, map or slice that was entered, with its type, as a struct
// and its first field share an address, and a slice's length, as a slice and its
// beginning do.
type visit struct {
	ptr uintptr
	typ reflect.Type
	len int
}

type walker struct {
	found   []Named
	seen    map[*Predictor]bool
	visited map[visit]bool
	err     error
}

func (w *walker) add(name string, p *Predictor) {
	if p == nil || w.seen[p] {
		return
	}
	w.seen[p] = true
	w.found = append(w.found, Named{name, p})
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "." + name
}

func orSelf(name string) string {
	if name == "" {
		return "self"
	}
	return name
}

// enter reports whether v was not entered before.
func (w *walker) enter(v reflect.Value) bool {
	k := visit{ptr: v.Pointer(), typ: v.Type()}
	if v.Kind() == reflect.Slice {
		k.len = v.Len()
	}
	if w.visited[k] {
		return false
	}
	w.visited[k] = true
	return true
}

// walk finds the predictors below v; copied says that v is part of a copy, which
// the program does not hold.
func (w *walker) walk(name string, v reflect.Value, copied bool) {
	switch {
	case w.err != nil || !v.IsValid():
		return
	case v.Kind() == reflect.Interface:
		w.walk(name, v.Elem(), false)
		return
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() && w.enter(v) {
			w.walk(name, v.Elem(), false)
		}
		return
	case !v.CanAddr():
		// Methods may want a pointer.
		v, copied = addressable(v), true
	}
	if w.module(name, v, copied) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		w.structFields(name, v, copied)
	case reflect.Slice:
		if v.IsNil() || !w.enter(v) {
			return
		}
		for i := range v.Len() {
			w.walk(name+"["+strconv.Itoa(i)+"]", v.Index(i), false)
		}
	case reflect.Array:
		for i := range v.Len() {
			w.walk(name+"["+strconv.Itoa(i)+"]", v.Index(i), copied)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String || v.IsNil() || !w.enter(v) {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.walk(name+"['"+k.String()+"']", v.MapIndex(k), true)
		}
	}
}

// module adds the predictors of v, which is addressable, when it is a module or a
// Lister, and reports whether it is.
func (w *walker) module(name string, v reflect.Value, copied bool) bool {
	switch m := v.Addr().Interface().(type) {
	case *Predictor:
		if copied {
			w.err = fmt.Errorf("predictor %q: %w", orSelf(name), ErrCopied)
			return true
		}
		w.add(orSelf(name), m)
		return true
	case Lister:
		listed := predictorsOf(v.Addr())
		if !ours(v.Type()) && promoted(v, listed) {
			return false
		}
		for _, n := range listed {
			w.add(join(name, n.Name), n.Predictor)
		}
		return true
	case core:
		// A type that embeds a module has its method, too, but is more than it.
		if ours(v.Type()) {
			w.add(orSelf(name), m.Predictor())
			return true
		}
	}
	return false
}

var modulePath = reflect.TypeFor[Predictor]().PkgPath()

// ours reports whether t is a type of this package.
func ours(t reflect.Type) bool { return t.PkgPath() == modulePath }

func (w *walker) structFields(name string, v reflect.Value, copied bool) {
	t := v.Type()
	for i := range t.NumField() {
		f, field := t.Field(i), t.Field(i).Tag.Get("dspy")
		switch {
		case field == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && field == "":
			w.walk(name, open(v, i), copied)
		default:
			if field == "" {
				field = snake.Case(f.Name)
			}
			w.walk(join(name, field), open(v, i), copied)
		}
	}
}

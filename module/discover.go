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
// is itself one predictor. Fields of embedded structs count as the outer
// struct's. Two predictors of one name are an error, and none is
// [ErrNoPredictors].
func Predictors(program any) ([]Named, error) {
	w := walker{seen: map[*Predictor]bool{}, visited: map[visit]bool{}}
	w.walk("", reflect.ValueOf(program))
	if w.err != nil {
		return nil, w.err
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

// module adds v's own predictors when it is a module, and reports whether it is.
func (w *walker) module(name string, v reflect.Value) bool {
	if !v.IsValid() || !v.CanInterface() || (v.Kind() == reflect.Pointer && v.IsNil()) {
		return false
	}
	switch m := v.Interface().(type) {
	case *Predictor:
		w.add(orSelf(name), m)
	case core:
		// A struct that embeds a module has its method, but is more than it.
		if !ours(v.Type()) {
			return false
		}
		w.add(orSelf(name), m.Predictor())
	case Lister:
		for sub, p := range m.Predictors() {
			w.add(join(name, sub), p)
		}
	default:
		return false
	}
	return true
}

var modulePath = reflect.TypeFor[Predictor]().PkgPath()

// ours reports whether t, or what it points to, is a type of this package.
func ours(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == modulePath
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

func (w *walker) walk(name string, v reflect.Value) {
	if w.err != nil || w.module(name, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && w.enter(v) {
			w.walk(name, v.Elem())
		}
	case reflect.Interface:
		w.walk(name, v.Elem())
	case reflect.Struct:
		if v.CanAddr() && w.module(name, v.Addr()) {
			return
		}
		w.structFields(name, v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && (v.IsNil() || !w.enter(v)) {
			return
		}
		for i := range v.Len() {
			w.walk(name+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String || v.IsNil() || !w.enter(v) {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			w.walk(name+"['"+k.String()+"']", v.MapIndex(k))
		}
	}
}

func (w *walker) structFields(name string, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Tag.Get("dspy") == "":
			if f.IsExported() || f.Type.Kind() == reflect.Struct {
				w.walk(name, v.Field(i))
			}
		case !f.IsExported():
		default:
			field := f.Tag.Get("dspy")
			switch field {
			case "-":
				continue
			case "":
				field = snake.Case(f.Name)
			}
			w.walk(join(name, field), v.Field(i))
		}
	}
}

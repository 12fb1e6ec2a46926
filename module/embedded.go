package module

import (
	"reflect"
	"slices"
)

// addressable returns a copy of v of which pointers can be taken.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// open returns a field of an addressable struct. Reflection lets nobody call the
// methods of a field of an unexported type that is embedded, although Go promotes
// them, so such a field is read through a pointer of our own.
func open(v reflect.Value, i int) reflect.Value {
	f := v.Field(i)
	if f.CanInterface() {
		return f
	}
	return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
}

var listerType = reflect.TypeFor[Lister]()

// promoted reports whether the method Predictors of v, which is addressable, is one
// that Go promoted from an embedded field: it lists what the field lists. Nothing
// tells both apart otherwise.
func promoted(v reflect.Value, listed []Named) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		if !v.Type().Field(i).Anonymous {
			continue
		}
		f := open(v, i)
		if f.Kind() != reflect.Pointer && f.Kind() != reflect.Interface {
			f = f.Addr()
		}
		if f.Type().Implements(listerType) && slices.Equal(predictorsOf(f), listed) {
			return true
		}
	}
	return false
}

// predictorsOf collects what l, a [Lister], lists, but for predictors that are not there.
// One that is nil, or that embeds a nil one, may not survive the question: it lists
// nothing.
func predictorsOf(l reflect.Value) (named []Named) {
	if lacks(l) {
		defer func() {
			if recover() != nil {
				named = nil
			}
		}()
	}
	for name, p := range l.Interface().(Lister).Predictors() {
		if p != nil {
			named = append(named, Named{name, p})
		}
	}
	return named
}

// lacks reports whether l is a nil pointer or interface, or a struct that embeds one.
func lacks(l reflect.Value) bool {
	for l.Kind() == reflect.Pointer || l.Kind() == reflect.Interface {
		if l.IsNil() {
			return true
		}
		l = l.Elem()
	}
	if l.Kind() != reflect.Struct {
		return false
	}
	for i := range l.NumField() {
		if !l.Type().Field(i).Anonymous {
			continue
		}
		switch f := l.Field(i); f.Kind() {
		case reflect.Pointer, reflect.Interface:
			if f.IsNil() {
				return true
			}
		case reflect.Struct:
			if lacks(f) {
				return true
			}
		}
	}
	return false
}

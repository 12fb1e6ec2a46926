package adapter

import (
	"strings"

	"github.com/whetgo/whet/signature"
)

// jsonWriter writes values as Python's json.dumps does: on one line, or with
// indents. Unlike signature.MarshalPython it knows what tools, images and the like
// are in JSON.
type jsonWriter struct {
	c *content
	// indent puts each item on its own line, two spaces deeper than what holds it.
	indent bool
}

func (w *jsonWriter) write(t *signature.Type, v signature.Value, depth int) error {
	t = t.Member(v)
	v, blob, err := w.c.plain(t, v)
	switch {
	case err != nil:
		return err
	case blob != nil:
		w.c.text.WriteByte('"')
		w.c.blob(blob)
		w.c.text.WriteByte('"')
		return nil
	}
	switch v := v.(type) {
	case []signature.Value:
		return w.list(t, v, depth)
	case signature.Record:
		return w.object(t, v, depth)
	}
	text, err := signature.MarshalPython(v)
	w.c.data(text)
	return err
}

func (w *jsonWriter) list(t *signature.Type, items []signature.Value, depth int) error {
	w.c.text.WriteByte('[')
	for i, item := range items {
		w.before(i, depth+1)
		if err := w.write(itemType(t, i), item, depth+1); err != nil {
			return err
		}
	}
	w.after(len(items), depth)
	w.c.text.WriteByte(']')
	return nil
}

func (w *jsonWriter) object(t *signature.Type, r signature.Record, depth int) error {
	w.c.text.WriteByte('{')
	for i := range r.Len() {
		w.before(i, depth+1)
		name, item := r.At(i)
		key, err := signature.MarshalPython(name)
		if err != nil {
			return err
		}
		w.c.data(key)
		w.c.text.WriteString(": ")
		if err := w.write(fieldType(t, name), item, depth+1); err != nil {
			return err
		}
	}
	w.after(r.Len(), depth)
	w.c.text.WriteByte('}')
	return nil
}

// before writes what stands before the i-th item, after what stands behind the
// last of n.
func (w *jsonWriter) before(i, depth int) {
	if i > 0 {
		w.c.text.WriteByte(',')
	}
	switch {
	case w.indent:
		w.newline(depth)
	case i > 0:
		w.c.text.WriteByte(' ')
	}
}

func (w *jsonWriter) after(n, depth int) {
	if w.indent && n > 0 {
		w.newline(depth)
	}
}

func (w *jsonWriter) newline(depth int) {
	w.c.text.WriteString("\n" + strings.Repeat("  ", depth))
}

// itemType is the type of a list's i-th item, nil where it is not known.
func itemType(t *signature.Type, i int) *signature.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind == signature.KindTuple && i < len(t.Items):
		return t.Items[i]
	case t.Kind == signature.KindList, t.Kind == signature.KindSet, t.Kind == signature.KindTuple:
		return t.Elem
	}
	return nil
}

// fieldType is the type of an object's field, nil where it is not known.
func fieldType(t *signature.Type, name string) *signature.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind == signature.KindDict:
		return t.Elem
	}
	for _, f := range t.Fields {
		if f.Name == name {
			return f.Type
		}
	}
	return nil
}

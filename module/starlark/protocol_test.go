package starlark

import (
	"bytes"
	"strings"
	"testing"
)

func TestFrame(t *testing.T) {
	t.Parallel()
	want := program{Source: "x = 'ä'\n", Inputs: []byte(`{"n":1}`)}
	var b bytes.Buffer
	if err := writeFrame(&b, want); err != nil {
		t.Fatal(err)
	}
	frame := b.String()
	var got program
	if err := readFrame(&b, 1000, &got); err != nil || got.Source != want.Source || string(got.Inputs) != string(want.Inputs) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, text := range map[string]string{"nothing": "", "half a length": frame[:2], "half a text": frame[:len(frame)-1], "no JSON": "\x00\x00\x00\x01{"} {
		if err := readFrame(strings.NewReader(text), 1000, &got); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := readFrame(strings.NewReader(frame), 5, &got); err == nil || !strings.Contains(err.Error(), "at most 5") {
		t.Errorf("a long frame: %v", err)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02{}"))
	f.Add([]byte("\x00\x00\x00\x0d{\"output\":\"\"}"))
	f.Add([]byte("\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var o outcome
		if err := readFrame(bytes.NewReader(data), 1<<12, &o); err != nil {
			return
		}
		var b bytes.Buffer
		if err := writeFrame(&b, o); err != nil {
			t.Fatal(err)
		}
		var again outcome
		if err := readFrame(&b, 1<<20, &again); err != nil || again.Output != o.Output || again.HasValue != o.HasValue {
			t.Errorf("%+v becomes %+v, %v", o, again, err)
		}
	})
}

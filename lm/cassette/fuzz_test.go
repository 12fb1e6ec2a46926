package cassette

import (
	"bytes"
	"testing"
)

// FuzzDecodeLine reads any line. One that can be read must come back the same when it
// is written and read again, with the same key, and scrubbing it twice must be like once.
func FuzzDecodeLine(f *testing.F) {
	for _, seed := range []string{
		`{"request":{"prompt":"a"},"response":{"text":"b","usage":{}}}`,
		`{"request":{"messages":[{"role":"user","parts":[{"text":"api_key: x"}]}]},"error":{"kind":"timed out","retry_after":"1s"}}`,
		`{"cassette":1}`,
	} {
		f.Add([]byte(seed))
	}
	s := newScrubber(nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decodeLine(data)
		if err != nil {
			return
		}
		first, err := encodeLine(l)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", data, err)
		}
		back, err := decodeLine(first)
		if err != nil {
			t.Fatalf("%q was written and cannot be read: %v", first, err)
		}
		second, err := encodeLine(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%q became %q, %v", first, second, err)
		}
		key, err := l.key()
		if again, err2 := back.key(); err != nil || err2 != nil || key != again {
			t.Fatalf("%q has another key after it was written: %v, %v", data, err, err2)
		}
		if _, err := l.reply(); err == nil && l.Error != nil {
			t.Fatalf("%q is an error and replays none", data)
		}
		if err := scrub(s, l); err != nil {
			t.Fatalf("%q cannot be scrubbed: %v", data, err)
		}
		once, err := encodeLine(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := scrub(s, l); err != nil {
			t.Fatal(err)
		}
		if twice, err := encodeLine(l); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q is scrubbed to %q and then to %q, %v", data, once, twice, err)
		}
	})
}

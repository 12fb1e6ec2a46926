package openai

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readEvents returns all events, as "kind|data", and how the stream ended.
func readEvents(r io.Reader, limit int64) (all []string, err error) {
	events := newEventReader(r, limit)
	for {
		e, err := events.next()
		if err != nil {
			return all, err
		}
		all = append(all, e.kind+"|"+string(e.data))
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 20<<10)
	for name, tt := range map[string]struct {
		in   string
		want []string
		end  error
	}{
		"nothing":            {"", nil, io.EOF},
		"one":                {"data: a\n\n", []string{"|a"}, io.EOF},
		"no blank":           {"data:a\n\n", []string{"|a"}, io.EOF},
		"two blanks":         {"data:  a\n\n", []string{"| a"}, io.EOF},
		"CRLF":               {"data: a\r\n\r\ndata: b\r\n\r\n", []string{"|a", "|b"}, io.EOF},
		"kind":               {"event: error\ndata: a\n\ndata: b\n\n", []string{"error|a", "|b"}, io.EOF},
		"kind without data":  {"event: error\n\ndata: b\n\n", []string{"|b"}, io.EOF},
		"lines":              {"data: a\ndata\ndata: b\n\n", []string{"|a\n\nb"}, io.EOF},
		"comments":           {": x\n\n:\n: y\ndata: a\n: z\n\n", []string{"|a"}, io.EOF},
		"other fields":       {"id: 1\nretry: 2\nx\ndata: a\n\n", []string{"|a"}, io.EOF},
		"blank lines":        {"\n\n\ndata: a\n\n\n\n", []string{"|a"}, io.EOF},
		"byte order mark":    {"\uFEFFdata: a\n\n", []string{"|a"}, io.EOF},
		"cut in a line":      {"data: a\n\ndata: b", []string{"|a"}, io.ErrUnexpectedEOF},
		"cut behind a line":  {"data: a\n\ndata: b\n", []string{"|a"}, io.ErrUnexpectedEOF},
		"cut in a comment":   {"data: a\n\n: b", []string{"|a"}, io.ErrUnexpectedEOF},
		"a line of 20 KB":    {"data: " + long + "\n\ndata: b\n\n", []string{"|" + long, "|b"}, io.EOF},
		"a line too long":    {"data: a\n\ndata: " + long + long + "\n\n", []string{"|a"}, errLongLine},
		"many lines, in all": {"data: " + long + "\ndata: " + long + "\n\n", nil, errLongLine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, r := range map[string]io.Reader{
				"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "with its end": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				got, err := readEvents(r, 30<<10)
				if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.end) {
					t.Errorf("%s: the end is %v, want %v; the events (-want +got):\n%s", way, err, tt.end, diff)
				}
			}
		})
	}
	if _, err := readEvents(io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(io.ErrClosedPipe)), 100); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the end is %v, want that of the reader", err)
	}
}

// FuzzEvents reads any bytes: in one, and byte by byte.
func FuzzEvents(f *testing.F) {
	f.Add("data: {\"choices\":[]}\n\ndata: [DONE]\n\n")
	f.Add("event: error\r\ndata: a\r\ndata:b\r\n\r\n: x")
	f.Add("\uFEFFdata\n\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		const limit = 1 << 10
		all, err := readEvents(strings.NewReader(in), limit)
		again, errAgain := readEvents(iotest.OneByteReader(strings.NewReader(in)), limit)
		if diff := cmp.Diff(all, again); diff != "" || err.Error() != errAgain.Error() {
			t.Errorf("byte by byte %v in place of %v:\n%s", errAgain, err, diff)
		}
		size := 0
		for _, e := range all {
			size += len(e)
		}
		if size > 2*len(in)+len(all) {
			t.Errorf("%d bytes of events in %d", size, len(in))
		}
	})
}

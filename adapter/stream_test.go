package adapter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/whetgo/whet/signature"
)

// streamed feeds a reply in pieces of n bytes, and returns the outputs and their order of
// ending.
func streamed(t *testing.T, a Adapter, sig *signature.Signature, reply string, n int) (map[string]string, []string) {
	t.Helper()
	tpl, err := a.Prepare(Program{Signature: sig})
	if err != nil {
		t.Fatal(err)
	}
	st, ok := tpl.(StreamTemplate)
	if !ok {
		t.Fatalf("%s does not stream", a.Name())
	}
	s := st.Stream()
	got, done := map[string]string{}, []string(nil)
	take := func(parts []FieldText) {
		for _, p := range parts {
			for _, d := range done {
				if d == p.Field {
					t.Errorf("%q gets %q after its end", p.Field, p.Text)
				}
			}
			got[p.Field] += p.Text
			if p.Done {
				done = append(done, p.Field)
			}
		}
	}
	for i := 0; i < len(reply); i += n {
		take(s.Write(reply[i:min(i+n, len(reply))]))
	}
	take(s.Close())
	return got, done
}

func TestStream(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("question -> thought, n: int, tags: list[str], answer")
	for _, tt := range []struct {
		name  string
		a     Adapter
		reply string
		want  map[string]string
		done  string
	}{
		{
			"chat",
			Chat{},
			"Sure.\n[[ ## thought ## ]]\n  Two lines,\n\nand [[ ## in text.\n\n[[ ## n ## ]]\n4\n\n[[ ## tags ## ]] [\"a\"]\n[[ ## answer ## ]]\nÄh, 4 €\n\n[[ ## completed ## ]]\nmore",
			map[string]string{"thought": "Two lines,\n\nand [[ ## in text.", "n": "4", "tags": `["a"]`, "answer": "Äh, 4 €"},
			"thought n tags answer",
		},
		{
			"chat, cut off and said twice",
			Chat{},
			"[[ ## n ## ]]\n4\n[[ ## n ## ]]\n5\n[[ ## other ## ]]\nx\n[[ ## answer ## ]]\nfour [[ ## compl",
			map[string]string{"n": "4", "answer": "four [[ ## compl"},
			"n answer",
		},
		{
			"json",
			JSON{},
			"```json\n{ \"thought\": \"a \\\"b\\\" \\u00e4\\ud83d\\ude00\\n€\", \"extra\": {\"n\": 9},\n \"n\" : 42 , \"tags\": [\"x, }\", [1 , 2]], \"answer\": \"yes\" }\n```",
			map[string]string{"thought": "a \"b\" ä😀\n€", "n": "42", "tags": `["x, }", [1 , 2]]`, "answer": "yes"},
			"thought n tags answer",
		},
		{
			"json, cut off",
			JSON{},
			`{"n": 4, "answer": "fo\ud83d`,
			map[string]string{"n": "4", "answer": "fo\uFFFD"},
			"n answer",
		},
		{
			"json, twice",
			JSON{},
			`{"n": 4, "n": 5, "answer": "\q \ude00"}`,
			map[string]string{"n": "4", "answer": "\\q \uFFFD"},
			"n answer",
		},
		{
			"compact",
			Compact{},
			" I think.\nN: 4\nTags: [\"a\"]\nAnswer: four €\nQuestion: next?\nThought: no",
			map[string]string{"thought": "I think.", "n": "4", "tags": `["a"]`, "answer": "four €"},
			"thought n tags answer",
		},
	} {
		for _, n := range []int{1, 2, 3, 7, 1000} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				t.Parallel()
				got, done := streamed(t, tt.a, sig, tt.reply, n)
				if fmt.Sprint(got) != fmt.Sprint(tt.want) || strings.Join(done, " ") != tt.done {
					t.Errorf("got %q, ended %v\nwant %q, ended %s", got, done, tt.want, tt.done)
				}
			})
		}
	}
}

// TestStreamAgreesWithParse streams what the adapters themselves write.
func TestStreamAgreesWithParse(t *testing.T) {
	t.Parallel()
	sig := signature.MustParse("q -> thought, answer")
	values := []string{"plain", "two\nlines", "  spaces  ", "[[ ##", "ends with [[", "{\"a\": 1}", "a: b", "€ \"quoted\" \\n", "tab\tand 😀"}
	for _, a := range []Adapter{Chat{}, JSON{}} {
		tpl, err := a.Prepare(Program{Signature: sig})
		if err != nil {
			t.Fatal(err)
		}
		for _, thought := range values {
			for _, answer := range values {
				reply := fmt.Sprintf("[[ ## thought ## ]]\n%s\n\n[[ ## answer ## ]]\n%s\n\n[[ ## completed ## ]]", thought, answer)
				if a.Name() == "json" {
					text, err := signature.MarshalValue(signature.RecordOf("thought", thought, "answer", answer))
					if err != nil {
						t.Fatal(err)
					}
					reply = string(text)
				}
				want, _, err := tpl.Parse(reply, signature.Record{})
				if err != nil {
					continue
				}
				for n := 1; n < 6; n++ {
					got, _ := streamed(t, a, sig, reply, n)
					for name, v := range want.All() {
						if got[name] != v {
							t.Errorf("%s, by %d: %s is %q, Parse reads %q in %q", a.Name(), n, name, got[name], v, reply)
						}
					}
				}
			}
		}
	}
}

// FuzzStream never panics, and shows the same however the reply is cut.
func FuzzStream(f *testing.F) {
	f.Add("[[ ## thought ## ]]\nx\n[[ ## n ## ]]\n4", 3)
	f.Add("{\"thought\": \"\\ud83d\\ude00\", \"n\": [1, {\"a\": \"]\"}]}", 2)
	f.Add("x\nN: 4\n\nAnswer: y", 1)
	sig := signature.MustParse("question -> thought, n: int, answer")
	f.Fuzz(func(t *testing.T, reply string, n int) {
		for _, a := range []Adapter{Chat{}, JSON{}, Compact{}} {
			whole, _ := streamed(t, a, sig, reply, max(len(reply), 1))
			parts, _ := streamed(t, a, sig, reply, max(1, min(n, 64)))
			if fmt.Sprint(whole) != fmt.Sprint(parts) {
				t.Errorf("%s: %q by %d bytes is %q, and at once %q", a.Name(), reply, n, parts, whole)
			}
		}
	})
}

package evaluate_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"testing"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/module"
)

// checkLoaded checks what holds of any input: either examples whose texts can be
// written and read again, or a *DataError that names the file.
func checkLoaded(t *testing.T, data []module.Example[SMS, Verdict], err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	var de *evaluate.DataError
	if !errors.As(err, &de) || de.File != "fuzz" || de.Problem == "" || de.Line < 0 || de.Column < 0 {
		t.Fatalf("want a DataError with a place, got %#v", err)
	}
	if data != nil {
		t.Fatal("an error and data")
	}
	return false
}

func FuzzDecodeCSV(f *testing.F) {
	f.Add([]byte("text,label\nhello there,ham\n"))
	f.Add([]byte("\ufefflabel,text,x\nspam,\"win, now\n\"\"today\"\"\",1\n"))
	f.Add([]byte("text,label\nsee you\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		data, err := evaluate.DecodeCSV[SMS, Verdict](bytes.NewReader(in), "fuzz")
		if !checkLoaded(t, data, err) {
			return
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		_ = w.Write([]string{"text", "label"})
		for _, ex := range data {
			_ = w.Write([]string{ex.In.Text, string(ex.Out.Label)})
		}
		w.Flush()
		again, err := evaluate.DecodeCSV[SMS, Verdict](&b, "fuzz")
		if err != nil || len(again) != len(data) {
			t.Fatalf("%d rows became %d: %v", len(data), len(again), err)
		}
		for i := range data {
			if again[i] != data[i] {
				t.Fatalf("%q became %q", data[i], again[i])
			}
		}
	})
}

func FuzzDecodeJSONL(f *testing.F) {
	f.Add([]byte("{\"text\":\"hello there\",\"label\":\"ham\"}\n"))
	f.Add([]byte("\n{\"label\":\"spam\",\"text\":\"caf\\u00e9 \\ud83d\\ude00\",\"x\":[1,{}]}"))
	f.Add([]byte("{\"text\":\"cut"))
	f.Fuzz(func(t *testing.T, in []byte) {
		data, err := evaluate.DecodeJSONL[SMS, Verdict](bytes.NewReader(in), "fuzz")
		if !checkLoaded(t, data, err) {
			return
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, ex := range data {
			_ = enc.Encode(map[string]string{"text": ex.In.Text, "label": string(ex.Out.Label)})
		}
		again, err := evaluate.DecodeJSONL[SMS, Verdict](&b, "fuzz")
		if err != nil || len(again) != len(data) {
			t.Fatalf("%d rows became %d: %v", len(data), len(again), err)
		}
		for i := range data {
			if again[i].In != data[i].In || again[i].Out != data[i].Out {
				t.Fatalf("%q became %q", data[i], again[i])
			}
		}
	})
}

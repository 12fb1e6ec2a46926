package module_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/lm/lmtest"
	"github.com/whetgo/whet/module"
	"github.com/whetgo/whet/signature"
)

// pair is a program of two predictors, so that half a load would show.
type pair struct {
	A *module.ChainOfThought[sms, verdict]
	B *module.Predict[sms, verdict]
}

// newPair returns a pair with states.
func newPair(t testing.TB) *pair {
	t.Helper()
	p := &pair{newCoT(), newSMS()}
	for i, n := range []string{"a.predict", "b"} {
		err := predictor(t, p, n).SetState(module.State{
			Instructions: fmt.Sprintf("Instructions %d.", i),
			Demos:        []module.Demo{demo(true, "text", "before", "label", "ham")},
			Biases:       map[string]map[string]float64{"label": {"ham": 0.5}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// hostileFiles are changes to a good file of a pair, with what the error must say. A
// line of -1 is the first that differs from the good file, 0 any.
func hostileFiles(t testing.TB) map[string]struct {
	data, predictor string
	line            int
	texts           []string
} {
	good := string(marshal(t, newPair(t)))
	// in changes the last place, which is predictor b's.
	in := func(old, to string) string {
		i := strings.LastIndex(good, old)
		if i < 0 {
			t.Fatalf("no %q", old)
		}
		return good[:i] + to + good[i+len(old):]
	}
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	return map[string]struct {
		data, predictor string
		line            int
		texts           []string
	}{
		"duplicate predictor":      {in(`"b": {`, `"a.predict": {`), "a.predict", -1, []string{"stands twice"}},
		"duplicate key of a state": {in(`"train"`, `"traces"`), "b", -1, []string{`"traces"`, "stands twice"}},
		"duplicate key, escaped":   {in(`"train"`, `"tr\u0061ces"`), "b", -1, []string{`"traces"`, "stands twice"}},
		"duplicate key of a demo":  {in(`"label": "ham"`, `"text": "ham"`), "b", -1, []string{`"text"`, "stands twice"}},
		"duplicate key of a field": {in(`"description": "${text}"`, `"prefix": "x"`), "b", -1, []string{`"prefix"`}},
		"duplicate bias":           {in(`"ham": 0.5`, `"ham": 0.5, "ham": 1`), "b", -1, []string{`"ham"`}},
		"duplicate metadata":       {in(`"schema": 1`, `"schema": 1, "schema": 1`), "", -1, []string{`"schema"`}},
		"too deep":                 {in(`"text": "before"`, `"text": `+deep), "b", -1, []string{"deeper than 200"}},
		"far too deep":             {strings.Repeat(`{"a":`, 200_000), "", 1, []string{"max depth"}},
		"truncated":                {good[:len(good)-200], "", 0, []string{"unexpected end"}},
		"a byte missing":           {good[:len(good)-2], "", -1, []string{"unexpected end"}},
		"empty":                    {"", "", 1, []string{"empty"}},
		"white space":              {" \n\n ", "", 3, []string{"empty"}},
		"a list":                   {"[]", "", 1, []string{"want a JSON object"}},
		"null":                     {"null", "", 1, []string{"want a JSON object"}},
		"two objects":              {good + "{}", "", -1, []string{"after top-level value"}},
		"a byte order mark":        {"\ufeff" + good, "", 1, []string{"not JSON"}},
		"NaN":                      {in(`0.5`, `NaN`), "", -1, []string{"invalid character 'N'"}},
		"Infinity":                 {in(`0.5`, `Infinity`), "", -1, []string{"invalid character 'I'"}},
		"number out of range":      {in(`0.5`, `1e999`), "b", 0, []string{"biases", "1e999"}},
		"number out of range, demo": {
			in(`"text": "before"`, `"text": "before", "n": 1e999`), "b", 0, []string{"demo 0", "1e999"},
		},
		"malformed number":         {in(`0.5`, `.5`), "", -1, []string{"invalid character '.'"}},
		"comment":                  {in(`"lm"`, `// no`+"\n"+`"lm"`), "", -1, []string{"invalid character '/'"}},
		"single quotes":            {in(`"lm"`, `'lm'`), "", -1, []string{`invalid character '\''`}},
		"not UTF-8":                {in(`before`, "be\xfffore"), "", -1, []string{"not UTF-8"}},
		"UTF-16":                   {"\xff\xfe{\x00}\x00", "", 1, []string{"not UTF-8"}},
		"half a surrogate pair":    {in(`before`, `\ud83d`), "b", -1, []string{"surrogate"}},
		"the other half":           {in(`before`, `\udf89`), "b", -1, []string{"surrogate"}},
		"halves apart":             {in(`before`, `\ud83d-\udf89`), "b", -1, []string{"surrogate"}},
		"missing predictor":        {in(`"b": {`, `"c": {`), "b", 0, []string{"the file lacks it", "a.predict, c"}},
		"unknown predictor":        {in(`"metadata"`, `"c": {}, "metadata"`), "c", 0, []string{"no such predictor", "a.predict, b"}},
		"two that could be it":     {in(`"b": {`, `"b.predictor": {}, "b.predict": {`), "b", 0, []string{"two that could be it"}},
		"one bare predictor":       {string(marshal(t, newSMS())), "", 0, []string{"one predictor without a name", "2: a.predict, b"}},
		"another signature":        {in(`"Text:"`, `"Body:"`), "b", 0, []string{`"Body:"`, "IgnorePrefixes"}},
		"a field too many":         {in(`"fields": [`, `"fields": [{"prefix":"X:","description":"x"},`), "b", 0, []string{"3 fields in the file and 2"}},
		"state of another type":    {in(`"b": {`, `"b": 7, "c": {`), "", 0, nil},
		"demos of another type":    {in(`"demos": [`, `"demos": {"x": [`), "", 0, nil},
		"demos are a text":         {in(`"demos": [`, `"demos": "none", "old": [`), "b", 0, []string{"demos are malformed", `"none"`}},
		"no demos":                 {in(`"demos"`, `"demo"`), "b", 0, []string{"has no demos"}},
		"no signature":             {in(`"signature"`, `"Signature"`), "b", 0, []string{"has no signature"}},
		"signature is a text":      {in(`"signature": {`, `"signature": "x", "s": {`), "b", 0, []string{"signature is malformed"}},
		"instructions are no text": {in(`"Instructions 1."`, `["x"]`), "b", 0, []string{"signature is malformed"}},
		"prefix is no text":        {in(`"prefix": "Label:"`, `"prefix": 3`), "b", 0, []string{"field 1", `"prefix"`, "got 3"}},
		"description is no text":   {in(`"description": "one of the three labels"`, `"description": 3`), "b", 0, []string{"field 1", `"description"`}},
		"field is no object":       {in(`"fields": [`, `"fields": [7,`), "b", 0, []string{"field 0", "got 7"}},
		"augmented is a text":      {in(`"augmented": true`, `"augmented": "yes"`), "b", 0, []string{"demo 0", "augmented"}},
		"traces are no list":       {in(`"traces": []`, `"traces": {}`), "b", 0, []string{`"traces"`}},
		"lm is a text":             {in(`"lm": null`, `"lm": "sk-secret"`), "b", 0, []string{"lm is malformed"}},
		"whet is a text":           {in(`"whet": {`, `"whet": "x", "w": {`), "", 0, []string{`object under "whet"`}},
		"biases are a list":        {in(`"biases": {`, `"biases": [], "b": {`), "b", 0, []string{"biases are malformed"}},
		"bias for nothing":         {in(`"ham": 0.5`, `"eggs": 0.5`), "b", 0, []string{"eggs"}},
		"schema is a text":         {in(`"schema": 1`, `"schema": "1"`), "", 0, []string{"schema"}},
		"schema 0":                 {in(`"schema": 1`, `"schema": 0`), "", 0, []string{"schema"}},
		"schema 2":                 {in(`"schema": 1`, `"schema": 2`), "", 0, []string{"use a newer whet"}},
		"metadata is a list":       {in(`"metadata": {`, `"metadata": [], "m": {`), "", 0, []string{"metadata"}},
		"version is a number":      {in(`"dependency_versions": {}`, `"dependency_versions": {"dspy": 3}`), "", 0, []string{"version"}},
		"flat, prefix is missing":  {`{"a":{"demos":[],"signature_instructions":"x"},"b":{"demos":[],"signature_instructions":"x"}}`, "a.predict", 0, []string{"signature_prefix"}},
		"flat, another signature":  {`{"a":{"demos":[],"signature_instructions":"x","signature_prefix":"Verdict:"},"b":{}}`, "a.predict", 0, []string{`"Verdict:"`}},
		"flat, another name": {
			`{"a":{},"b":{"demos":[],"signature_instructions":"x","signature_prefix":"Label:","fields":[]}}`, "a.predict", 0, []string{"no signature"},
		},
	}
}

func TestHostileFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range hostileFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := newPair(t)
			before := statesOf(t, program)
			path := filepath.Join(t.TempDir(), "program.json")
			if err := os.WriteFile(path, []byte(tt.data), 0o600); err != nil {
				t.Fatal(err)
			}
			report, err := module.Load(path, program)
			var le *module.LoadError
			if !errors.As(err, &le) || report != nil {
				t.Fatalf("got %v and %v (%T), want a *LoadError alone", report, err, err)
			}
			if le.File != path || !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name the file", err)
			}
			if tt.texts != nil && le.Predictor != tt.predictor {
				t.Errorf("predictor %q, want %q, in %v", le.Predictor, tt.predictor, err)
			}
			if tt.line < 0 {
				tt.line = firstChange(string(marshal(t, program)), tt.data)
			}
			if tt.line > 0 && (le.Line != tt.line || !strings.Contains(err.Error(), fmt.Sprintf("line %d", tt.line))) {
				t.Errorf("line %d, want %d, in %v", le.Line, tt.line, err)
			}
			for _, text := range tt.texts {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error %q lacks %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "sk-secret") || len(err.Error()) > 1000 {
				t.Errorf("the error shows too much: %v", err)
			}
			if diff := cmp.Diff(before, statesOf(t, program)); diff != "" {
				t.Errorf("the program was changed:\n%s", diff)
			}
		})
	}
}

// firstChange returns the first line that differs.
func firstChange(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return 1 + strings.Count(b[:i], "\n")
}

func TestFlatFieldsMustBeTheProgram(t *testing.T) {
	t.Parallel()
	field := func(name, kind string) string {
		return fmt.Sprintf(`{"name":%q,"field_type":%q,"description":"","prefix":"%s%s:"}`, name, kind, strings.ToUpper(name[:1]), name[1:])
	}
	for name, tt := range map[string]struct{ fields, text string }{
		"other name":  {field("body", "input") + "," + field("label", "output"), `the input "body" in the file and the input "text"`},
		"other kind":  {field("text", "output") + "," + field("label", "output"), `the output "text" in the file and the input "text"`},
		"too few":     {field("label", "output"), "1 fields in the file and 2"},
		"no name":     {`{},` + field("label", "output"), `a text under "name"`},
		"not a field": {`3,` + field("label", "output"), "field 0"},
	} {
		data := `{"demos":[],"signature_instructions":"x","signature_prefix":"Label:","fields":[` + tt.fields + `]}`
		_, err := module.Unmarshal([]byte(data), newSMS())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantLoadError(t, err, "self", tt.text)
	}
}

func TestFileSize(t *testing.T) {
	t.Parallel()
	// A file of 100 MB, of which the file system keeps little.
	path := filepath.Join(t.TempDir(), "large.json")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100<<20); err != nil {
		t.Fatal(err)
	}
	_, err := module.Load(path, newSMS())
	wantLoadError(t, err, "", path, "104857600 bytes", "67108864 are accepted", "MaxFileSize")
	if !errors.Is(err, module.ErrFileTooLarge) {
		t.Errorf("%v is not ErrFileTooLarge", err)
	}

	cot := newCoT()
	demos := []module.Demo{demo(false, "text", strings.Repeat("x", 300<<10), "label", "ham")}
	if err := predictor(t, cot, "predict").SetState(module.State{Demos: demos}); err != nil {
		t.Fatal(err)
	}
	data := marshal(t, cot)
	for _, tt := range []struct {
		limit int64
		ok    bool
	}{{int64(len(data)), true}, {int64(len(data)) - 1, false}} {
		_, err := module.Unmarshal(data, newCoT(), module.MaxFileSize(tt.limit))
		if (err == nil) != tt.ok || !tt.ok && !errors.Is(err, module.ErrFileTooLarge) {
			t.Errorf("a file of %d bytes with the limit %d: %v", len(data), tt.limit, err)
		}
	}
}

func TestFileSizeWithoutLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.json")
	if err := module.Save(path, newSMS()); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Load(path, newSMS(), module.MaxFileSize(math.MaxInt64)); err != nil {
		t.Error(err)
	}
}

func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	const entry = `{"_dspy_lm_class":"dspy.clients.lm.LM","model":"openai/m","temperature":0.30,"max_tokens":100,` +
		`"api_key":"sk-1","api_base":"http://10.0.0.1/v1","base_url":"x","model_list":[{"a":1}],"headers":{"X":"y"},` +
		`"extra_headers":{"Authorization":"Bearer t"},"Authorization":"Basic t","azure_ad_token":"t","aws_secret_access_key":"t",` +
		`"launch_kwargs":{"API-Key":"t","n":1},"train_kwargs":{},"stop":["a","https://hooks.test/t"],"note":"Bearer t","other":"sk-2","api_version":"v1",` +
		`"passwd":"t","private_key_pem":"t","auth_tokens":["t"],"seed":"{\"api_key\":\"t\"}","response_format":{"key":"t"},` +
		`"n":[1],"model_type":"bearer t","finetuning_model":null,"cache":true,"top_p":"sk-3"}`
	const clean = `{"_dspy_lm_class":"dspy.clients.lm.LM","model":"openai/m","temperature":0.30,"max_tokens":100,` +
		`"train_kwargs":{},"finetuning_model":null,"cache":true}`
	const dropped = "left out of its lm, which keeps a model's name and its usual parameters, without keys and addresses: api_key, api_base, base_url, model_list, headers, " +
		"extra_headers, Authorization, azure_ad_token, aws_secret_access_key, launch_kwargs, stop, note, other, api_version, " +
		"passwd, private_key_pem, auth_tokens, seed, response_format, n, model_type, top_p"
	data := bytes.Replace(golden(t, "state_predict"), []byte(`"lm": null`), []byte(`"lm": `+entry), 1)

	// In a file that is loaded.
	program := module.MustPredict[question, answer]("")
	var asked string
	report, err := module.Unmarshal(data, program, module.Resolve(func(model string) (lm.LM, error) {
		asked = model
		return lmtest.Script(), nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]module.Note{{Predictor: "self", Text: dropped}}, report.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if got := string(predictor(t, program, "self").State().SavedLM); got != clean || asked != "openai/m" {
		t.Errorf("model %q, SavedLM\n%s\nwant\n%s", asked, got, clean)
	}

	// In a state that was made in code.
	if err := predictor(t, program, "self").SetState(module.State{SavedLM: []byte(entry)}); err != nil {
		t.Fatal(err)
	}
	var notes []module.Note
	saved := string(marshal(t, program, module.SaveNotes(func(n module.Note) { notes = append(notes, n) })))
	if diff := cmp.Diff([]module.Note{{Predictor: "self", Text: dropped}}, notes); diff != "" {
		t.Errorf("notes of the save (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"sk-", "://", "Bearer", "Basic", `"t"`, "api_key", "base_url"} {
		if strings.Contains(saved, secret) {
			t.Errorf("the saved file holds %q:\n%s", secret, saved)
		}
	}
	if err := predictor(t, program, "self").SetState(module.State{SavedLM: []byte(`"sk-1"`)}); err != nil {
		t.Fatal(err)
	}
	if _, err := module.Marshal(program); err == nil || strings.Contains(err.Error(), "sk-1") {
		t.Errorf("SavedLM that is no object: %v", err)
	}
}

// What could not be loaded again is not saved.
func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	deep := signature.Value("x")
	for range 250 {
		deep = []signature.Value{deep}
	}
	for name, d := range map[string]signature.Record{
		"deep":  signature.RecordOf("text", "a", "note", deep),
		"twice": signature.MakeRecord([]string{"text", "a", "a"}, []signature.Value{"x", "y", "z"}),
	} {
		p := newSMS()
		if err := predictor(t, p, "self").SetState(module.State{Demos: []module.Demo{{Fields: d}}}); err != nil {
			t.Fatal(err)
		}
		if data, err := module.Marshal(p); err == nil {
			t.Errorf("%s: saved as %s", name, data)
		}
	}
}

func BenchmarkLoadLarge(b *testing.B) {
	cot := newCoT()
	demos := make([]module.Demo, 100_000)
	for i := range demos {
		demos[i] = demo(i%2 == 0, "text", fmt.Sprintf("message %d: %s", i, strings.Repeat("word ", 180)), "label", "ham")
	}
	if err := predictor(b, cot, "predict").SetState(module.State{Demos: demos}); err != nil {
		b.Fatal(err)
	}
	data := marshal(b, cot)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := module.Unmarshal(data, cot, module.MaxFileSize(1<<30)); err != nil {
			b.Fatal(err)
		}
	}
}

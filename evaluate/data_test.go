package evaluate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/evaluate"
	"github.com/whetgo/whet/module"
)

// order has a field of every kind.
type order struct {
	Note   string     `json:"note"`
	Rush   bool       `json:"rush"`
	Count  int        `json:"count"`
	Weight float64    `json:"weight"`
	Due    time.Time  `json:"due"`
	Tags   []string   `json:"tags"`
	Labels []Label    `json:"labels"`
	Gift   *string    `json:"gift"`
	Box    dimensions `json:"box"`
}

type dimensions struct {
	Wide int `json:"wide"`
	High int `json:"high"`
}

func wantOrder() order {
	gift := "ribbon"
	return order{
		Note: " as is ", Rush: true, Count: 3, Weight: 1.5, Due: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Tags: []string{"a", "b"}, Labels: []Label{"ham"}, Gift: &gift, Box: dimensions{2, 4},
	}
}

var lower = []evaluate.DataOption{evaluate.Column("label", "LABEL"), evaluate.Column("text", "TEXT"), evaluate.Map("label", strings.ToLower)}

func TestDecodeCSV(t *testing.T) {
	t.Parallel()
	const csv = "\ufeffLABEL,TEXT,URL\nham,hi \ufffd there,No\nSmishing,\"a \"\"quoted\"\",\ntext\",Yes\n\nspam, kept ,No\n"
	got, err := evaluate.DecodeCSV[SMS, Verdict](iotest.OneByteReader(strings.NewReader(csv)), "data/dev.csv", lower...)
	require.NoError(t, err)
	want := []module.Example[SMS, Verdict]{
		{In: SMS{"hi \ufffd there"}, Out: Verdict{"ham"}, ID: "dev.csv:1"},
		{In: SMS{"a \"quoted\",\ntext"}, Out: Verdict{"smishing"}, ID: "dev.csv:2"},
		{In: SMS{" kept "}, Out: Verdict{"spam"}, ID: "dev.csv:3"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestEveryKind(t *testing.T) {
	t.Parallel()
	opts := []evaluate.DataOption{evaluate.Unlabeled()}
	csv := `note,rush,count,weight,due,tags,labels,gift,box
 as is ,true,3,1.5,2026-03-01T12:00:00Z,"[""a"",""b""]","[""ham""]",ribbon,"{""high"":4,""wide"":2}"
,0,-1,2,2026-03-01T12:00:00Z,[],[],,"{""wide"":1,""high"":1}"
`
	got, err := evaluate.DecodeCSV[order, Verdict](strings.NewReader(csv), "x.csv", opts...)
	require.NoError(t, err)
	require.Len(t, got, 2)
	if d := cmp.Diff(wantOrder(), got[0].In); d != "" {
		t.Error(d)
	}
	assert.Zero(t, got[0].Out)
	assert.Nil(t, got[1].In.Gift)
	assert.Equal(t, -1, got[1].In.Count)

	jsonl := `{"note":" as is ","rush":true,"count":3,"weight":1.5,"due":"2026-03-01T12:00:00Z","tags":["a","b"],"labels":["ham"],"gift":"ribbon","box":{"high":4,"wide":2},"more":{}}
{"note":"","rush":false,"count":-1.0,"weight":2,"due":"2026-03-01","tags":[],"labels":[],"gift":null,"box":{"wide":1,"high":1}}`
	got, err = evaluate.DecodeJSONL[order, Verdict](strings.NewReader(jsonl), "x.jsonl", opts...)
	require.NoError(t, err)
	require.Len(t, got, 2)
	if d := cmp.Diff(wantOrder(), got[0].In); d != "" {
		t.Error(d)
	}
	assert.Nil(t, got[1].In.Gift)
}

func TestDecodeJSONL(t *testing.T) {
	t.Parallel()
	const jsonl = "\ufeff{\"LABEL\":\"HAM\",\"TEXT\":\"hi \ufffd there\"}\r\n\n  {\"TEXT\":\"x\",\"LABEL\":\"spam\"}  "
	got, err := evaluate.DecodeJSONL[SMS, Verdict](iotest.OneByteReader(strings.NewReader(jsonl)), "dev.jsonl", lower...)
	require.NoError(t, err)
	want := []module.Example[SMS, Verdict]{
		{In: SMS{"hi \ufffd there"}, Out: Verdict{"ham"}, ID: "dev.jsonl:1"},
		{In: SMS{"x"}, Out: Verdict{"spam"}, ID: "dev.jsonl:2"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCSVErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, csv    string
		line, column int
		want         string
	}{
		{"empty", "", 0, 0, `f.csv: the file is empty; want a first line that names the columns`},
		{"missing column", "LABEL,text\n", 1, 0, `f.csv:1: column "TEXT": is missing (it holds the field "text"); the columns are LABEL, text`},
		{"column twice", "LABEL,TEXT,TEXT\n", 1, 12, `f.csv:1:12: column "TEXT": two columns have this name`},
		{"unknown label", "LABEL,TEXT\nham,a\nhum,b\n", 3, 1, `f.csv:3:1: column "LABEL": want one of ham, spam, smishing, got "hum"`},
		{"no label", "TEXT,LABEL\na,\n", 2, 3, `f.csv:2:3: column "LABEL": want one of ham, spam, smishing, got ""`},
		{"line after a row of two lines", "LABEL,TEXT\nham,\"a\nb\"\nhum,b\n", 4, 1, `f.csv:4:1: column "LABEL": want one of`},
		{"too few columns", "LABEL,TEXT\nham\n", 2, 1, `f.csv:2:1: the row has 1 columns, but the first line names 2`},
		{"too many columns", "LABEL,TEXT\nham,a,b\n", 2, 1, `f.csv:2:1: the row has 3 columns`},
		{"quote inside", "LABEL,TEXT\nham,a\"b\n", 2, 6, `f.csv:2:6: bare " in non-quoted-field`},
		{"quote not closed", "LABEL,TEXT\nham,\"a\nspam,b\n", 3, 0, `(in the row that begins on line 2)`},
		{"not UTF-8", "LABEL,TEXT\nham,a\xff\n", 2, 5, `f.csv:2:5: column "TEXT": "a\xff" is not UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate.DecodeCSV[SMS, Verdict](strings.NewReader(tt.csv), "f.csv", lower...)
			assert.Nil(t, got)
			require.ErrorContains(t, err, tt.want)
			var de *evaluate.DataError
			require.ErrorAs(t, err, &de)
			assert.Equal(t, tt.line, de.Line)
			if tt.column > 0 {
				assert.Equal(t, tt.column, de.Column)
			}
		})
	}
}

func TestCSVValueErrors(t *testing.T) {
	t.Parallel()
	type in struct {
		N    int       `json:"n"`
		F    float64   `json:"f"`
		B    bool      `json:"b"`
		At   time.Time `json:"at"`
		List []int     `json:"list"`
		U    uint8     `json:"u"`
	}
	good := []string{"1", "2.5", "true", "2026-03-01", "[1]", "7"}
	for i, tt := range []struct{ text, want string }{
		{"1.5", `column "n": "1.5" is no whole number`},
		{"much", `column "f": "much" is no number`},
		{"maybe", `column "b": "maybe" is neither true nor false`},
		{"soon", `column "at": want`},
		{"1", `column "list": want`},
		{"300", "300"},
	} {
		cells := append([]string(nil), good...)
		cells[i] = tt.text
		_, err := evaluate.DecodeCSV[in, Verdict](strings.NewReader("n,f,b,at,list,u\n"+strings.Join(cells, ",")+"\n"), "f.csv", evaluate.Unlabeled())
		require.ErrorContains(t, err, "f.csv:2")
		require.ErrorContains(t, err, tt.want)
	}
	_, err := evaluate.DecodeCSV[in, Verdict](strings.NewReader("n,f,b,at,list,u\n"+strings.Join(good, ",")+"\n"), "f.csv", evaluate.Unlabeled())
	require.NoError(t, err)
	for _, bad := range []string{"[1", "inf", "NaN"} {
		cells := append([]string(nil), good...)
		cells[map[bool]int{true: 4, false: 1}[bad == "[1"]] = bad
		_, err := evaluate.DecodeCSV[in, Verdict](strings.NewReader("n,f,b,at,list,u\n"+strings.Join(cells, ",")+"\n"), "f.csv", evaluate.Unlabeled())
		require.Error(t, err, bad)
	}
}

func TestJSONLErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, jsonl string
		want        string
	}{
		{"unknown label", "{\"TEXT\":\"a\",\"LABEL\":\"ham\"}\n{\"TEXT\":\"a\",\"LABEL\":\"hum\"}", `f.jsonl:2:21: column "LABEL": want one of ham, spam, smishing, got "hum"`},
		{"missing key", `{"TEXT":"a"}`, `f.jsonl:1: column "LABEL": is missing (it holds the field "label")`},
		{"null", `{"TEXT":null,"LABEL":"ham"}`, `f.jsonl:1:9: column "TEXT": is null`},
		{"wrong type", `{"TEXT": 3,"LABEL":"ham"}`, `f.jsonl:1:10: column "TEXT": want`},
		{"array", `[1]`, `f.jsonl:1:1: want one JSON object a line`},
		{"cut off", "{\"TEXT\":\"a\",", `f.jsonl:1:12: the JSON object is not complete`},
		{"no JSON", "\n{\"TEXT\":a}", `f.jsonl:2:9: invalid character 'a'`},
		{"two objects", `{"TEXT":"a","LABEL":"ham"} {}`, `f.jsonl:1:28: invalid character '{' after top-level value; want one JSON object a line`},
		{"key twice", `{"TEXT":"a","TEXT":"b"}`, `column "TEXT": stands twice`},
		{"not UTF-8", "{\"TEXT\":\"\xff\"}", `f.jsonl:1: the line is not UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := evaluate.DecodeJSONL[SMS, Verdict](strings.NewReader(tt.jsonl), "f.jsonl", lower...)
			assert.Nil(t, got)
			var de *evaluate.DataError
			require.ErrorAs(t, err, &de)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestDataOptionErrors(t *testing.T) {
	t.Parallel()
	_, err := evaluate.DecodeCSV[SMS, Verdict](strings.NewReader(""), "f.csv", evaluate.Column("lable", "LABEL"))
	require.ErrorContains(t, err, `names the field "lable", but the fields are those of text -> label`)
	_, err = evaluate.DecodeJSONL[SMS, Verdict](strings.NewReader(""), "f", evaluate.Map("no", strings.ToLower))
	require.ErrorContains(t, err, `"no"`)
	_, err = evaluate.DecodeCSV[SMS, SMS](strings.NewReader(""), "f.csv")
	require.ErrorContains(t, err, "two fields have this name")
	_, err = evaluate.DecodeCSV[SMS, Verdict](strings.NewReader("text;label\na;ham\n"), "f.csv", evaluate.Comma(';'))
	require.NoError(t, err)
	_, err = evaluate.DecodeCSV[SMS, Verdict](strings.NewReader("text,label\n"), "f.csv", evaluate.Comma('"'))
	require.Error(t, err)
}

func TestReadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	require.NoError(t, os.WriteFile(path, []byte("text,label\nhi,ham\n"), 0o600))
	got, err := evaluate.ReadCSV[SMS, Verdict](path)
	require.NoError(t, err)
	assert.Equal(t, "a.csv:1", got[0].ID)

	path = filepath.Join(dir, "a.jsonl")
	require.NoError(t, os.WriteFile(path, []byte(`{"text":"hi","label":"ham"}`), 0o600))
	got, err = evaluate.ReadJSONL[SMS, Verdict](path)
	require.NoError(t, err)
	assert.Equal(t, "a.jsonl:1", got[0].ID)

	_, err = evaluate.ReadCSV[SMS, Verdict](filepath.Join(dir, "none.csv"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = evaluate.ReadJSONL[SMS, Verdict](filepath.Join(dir, "none.jsonl"))
	require.ErrorIs(t, err, os.ErrNotExist)

	broken := iotest.ErrReader(os.ErrDeadlineExceeded)
	_, err = evaluate.DecodeCSV[SMS, Verdict](broken, "f")
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = evaluate.DecodeJSONL[SMS, Verdict](broken, "f")
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

package adapter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/whetgo/whet/signature"
)

func TestReadValue(t *testing.T) {
	t.Parallel()
	kind := func(k signature.Kind) *signature.Type { return &signature.Type{Kind: k} }
	list := func(e *signature.Type) *signature.Type { return &signature.Type{Kind: signature.KindList, Elem: e} }
	cases := &signature.Type{Kind: signature.KindEnum, Choices: []string{"US", "us", "etc.", `it's`}}
	bad := any("error")
	for _, c := range []struct {
		typ  *signature.Type
		text string
		want any
	}{
		{kind(signature.KindInt), "7", int64(7)},
		{kind(signature.KindInt), "42.0", int64(42)},
		{kind(signature.KindInt), "1e3", int64(1000)},
		{kind(signature.KindInt), "True", int64(1)},
		{kind(signature.KindInt), "-3", int64(-3)},
		{kind(signature.KindInt), "1,234", bad},
		{kind(signature.KindInt), "0x10", bad},
		{kind(signature.KindInt), "99999999999999999999", bad},
		{kind(signature.KindInt), "", bad},
		{kind(signature.KindFloat), ".5", 0.5},
		{kind(signature.KindFloat), "'2'", 2.0},
		{kind(signature.KindFloat), "NaN", bad},
		{kind(signature.KindFloat), "inf", bad},
		{kind(signature.KindFloat), "0x1p4", bad},
		{kind(signature.KindFloat), "1_0", bad},
		{kind(signature.KindBool), "Yes", true},
		{kind(signature.KindBool), "off", false},
		{kind(signature.KindBool), "1", true},
		{kind(signature.KindBool), "**No.**", false},
		{kind(signature.KindBool), "maybe", bad},
		{kind(signature.KindTime), "2024-05-06T07:08:09Z", time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)},
		{kind(signature.KindTime), "2024-05-06", time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)},
		{kind(signature.KindTime), "soon", bad},
		{kind(signature.KindString), "", ""},
		{&signature.Type{Kind: signature.KindString, Optional: true}, "None", "None"},
		{&signature.Type{Kind: signature.KindFloat, Optional: true}, "null", nil},
		{&signature.Type{Kind: signature.KindFloat, Optional: true}, "x", bad},
		{list(kind(signature.KindInt)), `[1, "2", 3.0, true]`, []signature.Value{int64(1), int64(2), int64(3), int64(1)}},
		{list(kind(signature.KindBool)), `["yes", 0]`, []signature.Value{true, false}},
		{list(kind(signature.KindString)), `[1]`, bad},
		{list(kind(signature.KindString)), `["a"] and more`, bad},
		{list(&signature.Type{Kind: signature.KindEnum, Choices: []string{"a"}}), `["A"]`, bad},
		{cases, "us", "us"},
		{cases, "**us**", "us"},
		{cases, "Us", bad}, // two choices fit
		{cases, "ETC.", "etc."},
		{cases, `"it's"`, "it's"},
	} {
		got, _, err := readValue(c.typ, c.text)
		if c.want == bad {
			require.Error(t, err, "%s from %q gave %v", c.typ, c.text, got)
			continue
		}
		require.NoError(t, err, "%s from %q", c.typ, c.text)
		require.True(t, signature.EqualValues(c.want, got), "%s from %q: want %v, got %v", c.typ, c.text, c.want, got)
	}
}

package wire

import (
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whetgo/whet/lm"
)

func TestScalars(t *testing.T) {
	t.Parallel()
	type pair struct {
		T Text
		N Number
	}
	for json, want := range map[string]pair{
		`{"T":"a <b> & é","N":0.1}`:                             {"a <b> & é", 0.1},
		`{"T":{"base64":"4p8="},"N":"-Inf"}`:                    {"\xe2\x9f", Number(math.Inf(-1))},
		`{"T":"","N":"+Inf"}`:                                   {"", Number(math.Inf(1))},
		`{"T":"NaN","N":5e-324}`:                                {"NaN", math.SmallestNonzeroFloat64},
		`{"T":"{\"base64\":\"\"}","N":1.7976931348623157e+308}`: {`{"base64":""}`, math.MaxFloat64},
	} {
		data, err := Marshal(want)
		if err != nil || string(data) != json {
			t.Errorf("%+v is written as %s, %v; want %s", want, data, err, json)
		}
		var got pair
		if err := Unmarshal([]byte(json), &got); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v", json, got, err)
		}
	}
	var nan struct{ N Number }
	if data, err := Marshal(struct{ N Number }{Number(math.NaN())}); err != nil || Unmarshal(data, &nan) != nil || !math.IsNaN(float64(nan.N)) {
		t.Errorf("NaN comes back as %v from %s, %v", nan.N, data, err)
	}
	for _, broken := range []string{
		`{"T":null}`, `{"T":1}`, `{"T":{"base64":"!"}}`, `{"T":{"other":""}}`, `{"N":null}`, `{"N":"Infinity"}`, `{"N":1e999}`, `{"N":true}`, `{"X":1}`, `{} {}`, `{`,
	} {
		if err := Unmarshal([]byte(broken), &pair{}); err == nil {
			t.Errorf("%s is read without an error", broken)
		}
	}
}

// Every field that a response has, set to something, comes back.
func TestResponse(t *testing.T) {
	t.Parallel()
	want := &lm.Response{}
	fill(reflect.ValueOf(want).Elem(), 2)
	data, err := Marshal(FromResponse(want))
	if err != nil {
		t.Fatal(err)
	}
	var got Response
	if err := Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.LM()); diff != "" {
		t.Error(diff)
	}
	if FromResponse(nil) != nil || (*Response)(nil).LM() != nil {
		t.Error("no response is none")
	}
}

// fill gives everything in v a value that is not its zero; depth bounds what holds itself.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("\xff of " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(-0.1)
	case reflect.Slice:
		if depth > 0 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0), depth-1)
			fill(v.Index(1), depth-1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth)
		}
	default:
		panic("the test knows no " + v.Kind().String())
	}
}

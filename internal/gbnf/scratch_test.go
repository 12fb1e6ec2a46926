package gbnf

import (
	"fmt"
	"testing"
)

func TestScratch(t *testing.T) {
	for _, p := range []string{
		`{"type":"object","properties":{"name":{"type":"string","maxLength":5},"age":{"type":"integer","minimum":0,"maximum":150},"tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":3}},"required":["name","tags"]}`,
		`{}`, `{"type":"number","exclusiveMinimum":0,"maximum":99.5}`, `{"type":"number","exclusiveMinimum":-3,"maximum":99.5}`, `{"type":"integer","multipleOf":7,"minimum":-20}`, `{"type":"number","multipleOf":0.25}`,
		`{"type":"string","pattern":"\\bfoo\\b"}`, `{"type":"string","pattern":"^a+$","minLength":3,"maxLength":5}`, `{"type":"string","format":"date"}`,
		`{"oneOf":[{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"integer"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"}},"required":["k"]}]}`,
		`{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"]}}}`,
		`{"properties":{"a":{"$ref":"#"}},"required":["a"],"type":"object"}`,
		`{"type":"array","items":{"enum":[1,2,3]},"uniqueItems":true}`,
		`{"not":{"type":"string"}}`,
	} {
		fmt.Println(p)
		g, err := FromSchema([]byte(p))
		if err != nil {
			fmt.Println("ERR", err)
			continue
		}
		fmt.Print(g.String())
		fmt.Printf("%q\n", g.Start().Shortest())
	}
}

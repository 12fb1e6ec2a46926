package lmtest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/whetgo/whet/lm"
)

// form is a hole that has a form, and what its text must be.
type form struct {
	hole  lm.Segment
	check func(text string) bool
}

func forms() []form {
	const pattern = `^[a-z]{2,4}-[0-9]{1,3}$`
	// The backend may close what the token limit would cut, so all has an end.
	const schema = `{"type":"object","properties":{` +
		`"name":{"type":"string","maxLength":8},"sure":{"type":"boolean"},` +
		`"sizes":{"type":"array","items":{"type":"integer","minimum":1,"maximum":9},"minItems":1,"maxItems":3}},` +
		`"required":["name","sure","sizes"]}`
	return []form{
		{lm.Segment{Hole: lm.HoleInt, Name: "whole"}, func(text string) bool {
			_, err := strconv.ParseInt(text, 10, 64)
			return err == nil
		}},
		{lm.Segment{Hole: lm.HoleFloat, Name: "number"}, func(text string) bool {
			_, err := strconv.ParseFloat(text, 64)
			return err == nil && json.Valid([]byte(text))
		}},
		{lm.Segment{Hole: lm.HoleJSON, Name: "small", Schema: []byte(`{"type":"integer","minimum":3,"maximum":12}`)}, func(text string) bool {
			n, err := strconv.Atoi(text)
			return err == nil && n >= 3 && n <= 12
		}},
		{lm.Segment{Hole: lm.HoleJSON, Name: "object", Schema: []byte(schema)}, isSmallObject},
		{lm.Segment{Hole: lm.HolePattern, Name: "code", Pattern: pattern}, regexp.MustCompile(pattern).MatchString},
	}
}

// isSmallObject reports whether a text is a value of the schema of forms.
func isSmallObject(text string) bool {
	var v struct {
		Name  *string `json:"name"`
		Sure  *bool   `json:"sure"`
		Sizes []int   `json:"sizes"`
	}
	if json.Unmarshal([]byte(text), &v) != nil || v.Name == nil || v.Sure == nil || len(v.Sizes) < 1 || len(v.Sizes) > 3 {
		return false
	}
	for _, n := range v.Sizes {
		if n < 1 || n > 9 {
			return false
		}
	}
	return len([]rune(*v.Name)) <= 8
}

// forms asks for values of all forms, one on each line.
func (s suite) forms(t *testing.T) {
	r := s.request("Describe a parcel.")
	r.MaxTokens = 400
	all := forms()
	shape := &lm.Shape{}
	for _, f := range all {
		shape.Segments = append(shape.Segments, lm.Segment{Literal: f.hole.Name + ": "}, f.hole, lm.Segment{Literal: "\n"})
	}
	r.Shape = shape
	resp := s.generate(t, r)
	if !s.c.Forms {
		if resp.Shaped {
			t.Errorf("the reply %q is said to be of its shape: the backend enforces forms, so set Capabilities.Forms", resp.Text)
		}
		return
	}
	if !resp.Shaped || resp.Finish != lm.FinishStop {
		t.Errorf("Shaped = %v and Finish = %q for forms that are complete in less than %d tokens", resp.Shaped, resp.Finish, r.MaxTokens)
	}
	rest := resp.Text
	for _, f := range all {
		text, after, _ := strings.Cut(rest, "\n")
		rest = after
		value, ok := strings.CutPrefix(text, f.hole.Name+": ")
		if !ok || !f.check(value) {
			t.Errorf("the line of the hole %q is %q: want a value of the schema %s or the pattern %s", f.hole.Name, text, f.hole.Schema, f.hole.Pattern)
		}
	}
	if rest != "" {
		t.Errorf("the reply goes on behind its shape with %q", rest)
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

//go:embed testdata/oracle.py
var oracleScript string

// oracle is a Python process with the real DSPy in it.
type oracle struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	dir    string
}

// outcome is what DSPy returned or the error that it raised.
type outcome struct {
	OK    json.RawMessage `json:"ok"`
	Error string          `json:"error"`
	Text  string          `json:"text"`
	// Edit is the number of the edit that raised it.
	Edit int `json:"edit"`
}

func (o outcome) failed() bool { return o.Error != "" }

// answer is what DSPy made of a case.
type answer struct {
	Signature   outcome   `json:"signature"`
	Chat        outcome   `json:"chat"`
	JSON        outcome   `json:"json"`
	Format      outcome   `json:"format"`
	ChatReplies []outcome `json:"chat_replies"`
	JSONReplies []outcome `json:"json_replies"`
	State       outcome   `json:"state"`
}

// loaded is what DSPy made of a file.
type loaded struct {
	State    json.RawMessage `json:"state"`
	Messages json.RawMessage `json:"messages"`
}

// startOracle starts the Python that has DSPy.
func startOracle(ctx context.Context, python string) (*oracle, error) {
	dir, err := os.MkdirTemp("", "dspyconform")
	if err != nil {
		return nil, err
	}
	o := &oracle{cmd: exec.CommandContext(ctx, python, "-c", oracleScript), dir: dir}
	o.cmd.Stderr = &o.stderr
	o.cmd.Env = append(os.Environ(), "DSPY_CACHEDIR="+dir, "PYTHONHASHSEED=0", "PYTHONUTF8=1")
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewReader(out)
	return o, o.cmd.Start()
}

// ask sends a request and reads the answer into to.
func (o *oracle) ask(request, to any) error {
	line, err := json.Marshal(request)
	if err == nil {
		_, err = o.in.Write(append(line, '\n'))
	}
	if err == nil {
		if line, err = o.out.ReadBytes('\n'); err == nil {
			return json.Unmarshal(line, to)
		}
	}
	return errors.Join(fmt.Errorf("the oracle: %w", err), o.close())
}

// close ends the process and says what went wrong in it.
func (o *oracle) close() error {
	err := errors.Join(o.in.Close(), o.cmd.Wait())
	if err != nil {
		err = fmt.Errorf("python: %w\n%s", err, o.stderr.String())
	}
	return errors.Join(err, os.RemoveAll(o.dir))
}

// run puts a case to DSPy.
func (o *oracle) run(c *testCase) (*answer, error) {
	sig := object{"instructions": c.instructions}
	if c.text != nil {
		sig["text"] = c.text
	} else {
		sig["inputs"], sig["outputs"] = wireFields(c.inputs), wireFields(c.outputs)
	}
	edits := make([]object, len(c.edits))
	for i, e := range c.edits {
		edits[i] = object{"op": e.op, "name": e.name, "text": e.text, "input": e.input, "index": e.index}
		if e.field.Type != nil {
			edits[i]["field"] = wireField(e.field)
		}
	}
	request := object{
		"id": c.id, "signature": sig, "edits": edits, "cot": c.cot, "lm": c.lm,
		"demos": []any{}, "inputs": object{"$dict": []any{}}, "chat_replies": texts(c.chat), "json_replies": texts(c.json),
	}
	if s, err := c.program(); err == nil {
		demos := make([]any, len(c.demos))
		for i, d := range c.demos {
			demos[i] = wireFieldsOf(s.Fields(), d)
		}
		request["demos"], request["inputs"] = demos, wireFieldsOf(s.Inputs(), c.in)
	}
	var a answer
	return &a, o.ask(request, &a)
}

func texts(replies []reply) []string {
	out := make([]string, len(replies))
	for i, r := range replies {
		out[i] = r.text
	}
	return out
}

// load has DSPy load a file into the program of a case that it has run. refused is
// the error that it raises, "" for none.
func (o *oracle) load(c *testCase, file []byte) (l *loaded, refused string, err error) {
	var out outcome
	if err := o.ask(object{"id": c.id, "load": string(file)}, &out); err != nil {
		return nil, "", err
	}
	if out.failed() {
		return nil, "error: " + out.Error + ": " + out.Text, nil
	}
	l = &loaded{}
	return l, "", json.Unmarshal(out.OK, l)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/whetgo/whet/adapter"
	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/module"
)

// Talk is the program of the talk, as DSPy 2.5 saved it: its input and its output
// are objects.
type Talk struct {
	GenerateAnswer *module.Predict[TalkIn, TalkOut] `dspy:"generate_answer"`
}

// TalkIn is what goes into a Talk.
type TalkIn struct {
	Input Input `json:"input"`
}

// TalkOut is what comes out of a Talk.
type TalkOut struct {
	Output Output `json:"output"`
}

// Input holds the message.
type Input struct {
	Text string `json:"text" desc:"SMS text to be classified"`
}

// Output holds the label.
type Output struct {
	Label Label `json:"label" desc:"The predicted label for the SMS text"`
}

func newTalk(a adapter.Adapter, model lm.LM) (*Talk, error) {
	p, err := module.NewPredict[TalkIn, TalkOut](instructions+"\nOutput only the predicted label.",
		module.WithAdapter(a), module.WithLM(model))
	if err != nil {
		return nil, err
	}
	return &Talk{p}, nil
}

// Run implements module.Program.
func (t *Talk) Run(ctx context.Context, in SMS) (Verdict, error) {
	out, err := t.GenerateAnswer.Run(ctx, TalkIn{Input(in)})
	return Verdict(out.Output), err
}

// savedFile is a saved program and its name in the table.
type savedFile struct{ name, path string }

// savedFiles finds the files that the flag -program names: a folder is every .json
// file in it and in its folders.
func savedFiles(paths []string) ([]savedFile, error) {
	var files []savedFile
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, savedFile{path, path})
			continue
		}
		before := len(files)
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(p) != ".json" {
				return err
			}
			name, err := filepath.Rel(path, p)
			files = append(files, savedFile{name, p})
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s holds no saved program (*.json)", path)
		}
	}
	return files, nil
}

// load makes the program that a file is for, with the file's states: the talk's when
// the file has its predictor.
func (e *experiment) load(path string) (module.Program[SMS, Verdict], error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var predictors map[string]json.RawMessage
	_ = json.Unmarshal(data, &predictors) // module.Load says what is wrong with it
	isTalk := false
	for name := range predictors {
		isTalk = isTalk || strings.HasPrefix(name, "generate_answer")
	}
	if isTalk {
		t, err := newTalk(e.adapter, e.model)
		if err != nil {
			return nil, err
		}
		return t, takeOver(path, t, e.log)
	}
	c, err := newClassifier(e.adapter, e.model)
	if err != nil {
		return nil, err
	}
	return c, takeOver(path, c, e.log)
}

// takeOver loads the file and says what had to be adapted.
func takeOver(path string, program any, log io.Writer) error {
	report, err := module.Load(path, program)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "loaded %s (%s)\n", path, report.Format)
	for _, n := range report.Notes {
		fmt.Fprintf(log, "  %s\n", n)
	}
	return nil
}

// test measures saved programs beside the baselines.
func (e *experiment) test(ctx context.Context, paths []string, out io.Writer) error {
	files, err := savedFiles(paths)
	if err != nil {
		return err
	}
	e.add(&variant{name: "always ham", program: constant("ham")})
	e.add(&variant{name: "naive Bayes, same training rows", program: bayesProgram(e.data.train)})
	for _, f := range files {
		program, err := e.load(f.path)
		if err != nil {
			return err
		}
		v := &variant{name: f.name, program: program, typed: true}
		e.add(v)
		e.saved = append(e.saved, v)
	}
	if err := e.report(ctx); err != nil {
		return err
	}
	return e.print(out)
}

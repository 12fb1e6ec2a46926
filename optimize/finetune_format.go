package optimize

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FinetuneFormat is how records are written. All of them are JSON Lines: one record to a line.
type FinetuneFormat int

// The formats.
const (
	// FinetuneOpenAI is the chat format of OpenAI's fine-tuning, which takes files of at least
	// 10 lines (developers.openai.com, guide on supervised fine-tuning):
	//
	//	{"messages": [{"role": "system", "content": "..."}, {"role": "user", ...}, {"role": "assistant", ...}]}
	//
	// All answers in a conversation are trained on, and so are those of demos: see
	// [Finetune].ExcludeDemos.
	FinetuneOpenAI FinetuneFormat = iota
	// FinetuneMLX is the chat format of mlx_lm.lora, the same lines, read from train.jsonl and
	// valid.jsonl of one folder (mlx-lm, mlx_lm/LORA.md, section Data): mlx_lm.lora --train
	// --data FOLDER. It trains on the prompts, too, unless told to --mask-prompt.
	FinetuneMLX
	// FinetuneTorchtune is the conversation style "sharegpt" of torchtune's chat_dataset
	// (torchtune, Chat Datasets), which has the same name in all of its versions:
	//
	//	{"conversations": [{"from": "system", "value": "..."}, {"from": "human", ...}, {"from": "gpt", ...}]}
	//
	// It is read with source: json, data_files: train.jsonl, split: train,
	// conversation_column: conversations and conversation_style: sharegpt.
	FinetuneTorchtune
)

// String returns the format's name.
func (f FinetuneFormat) String() string {
	switch f {
	case FinetuneOpenAI:
		return "openai"
	case FinetuneMLX:
		return "mlx"
	case FinetuneTorchtune:
		return "torchtune"
	}
	return fmt.Sprintf("FinetuneFormat(%d)", int(f))
}

func (f FinetuneFormat) check() error {
	if f < FinetuneOpenAI || f > FinetuneTorchtune {
		return fmt.Errorf("optimize: there is no %v", f)
	}
	return nil
}

type chatLine struct {
	Messages []ChatMessage `json:"messages"`
}

type shareGPTLine struct {
	Conversations []shareGPTMessage `json:"conversations"`
}

type shareGPTMessage struct {
	From  string `json:"from"`
	Value string `json:"value"`
}

// shareGPTRoles are the names of roles; that of the system message is the same.
func shareGPTRole(role string) string {
	switch role {
	case "user":
		return "human"
	case "assistant":
		return "gpt"
	}
	return role
}

// Write writes the records, one to a line. Texts are UTF-8, and nothing but the conversations
// is written: no predictor, score or model.
func (rs FinetuneRecords) Write(w io.Writer, f FinetuneFormat) error {
	if err := f.check(); err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range rs {
		var line any = chatLine{r.Messages}
		if f == FinetuneTorchtune {
			turns := make([]shareGPTMessage, len(r.Messages))
			for i, m := range r.Messages {
				turns[i] = shareGPTMessage{shareGPTRole(m.Role), m.Content}
			}
			line = shareGPTLine{turns}
		}
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("optimize: writing fine-tuning data: %w", err)
		}
	}
	return nil
}

const (
	trainFile = "train.jsonl"
	validFile = "valid.jsonl"
)

// WriteDir writes the set into a folder, which is made where it is not there: train.jsonl and,
// where there are validation records, valid.jsonl, which FinetuneMLX wants. Both files are
// written under other names before the first takes its place, so that each is there as a
// whole or as it was. They are for their owner alone to read, as are the examples perhaps.
//
// A valid.jsonl that is there already, where the set has no validation records, is an error: it
// may hold what is now trained on.
func (s *FinetuneSet) WriteDir(dir string, f FinetuneFormat) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	switch {
	case len(s.Train) == 0:
		return fmt.Errorf("optimize: writing fine-tuning data into %s: %w", dir, ErrNoTraces)
	case len(s.Valid) == 0 && f == FinetuneMLX:
		return fmt.Errorf("optimize: writing fine-tuning data into %s: mlx_lm.lora wants validation records, and there are none; give FinetuneData examples by Val", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("optimize: writing fine-tuning data: %w", err)
	}
	files := []stagedFile{{name: trainFile, records: s.Train}}
	if len(s.Valid) > 0 {
		files = append(files, stagedFile{name: validFile, records: s.Valid})
	} else if _, err := os.Lstat(filepath.Join(dir, validFile)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("optimize: writing fine-tuning data: there are no validation records, and %s has a %s of some other set; remove it first", dir, validFile)
	}
	defer func() {
		for _, file := range files {
			if err != nil && file.tmp != "" {
				err = errors.Join(err, os.Remove(file.tmp))
			}
		}
		if err != nil {
			err = fmt.Errorf("optimize: writing fine-tuning data: %w", err)
		}
	}()
	for i := range files {
		if err := files[i].stage(dir, f); err != nil {
			return err
		}
	}
	for i := range files {
		if err := os.Rename(files[i].tmp, filepath.Join(dir, files[i].name)); err != nil {
			return err
		}
		files[i].tmp = ""
	}
	return nil
}

// stagedFile is a file that is written under another name first, which tmp is until it has its
// own.
type stagedFile struct {
	name    string
	records FinetuneRecords
	tmp     string
}

func (s *stagedFile) stage(dir string, f FinetuneFormat) error {
	tmp, err := os.CreateTemp(dir, "."+s.name+".*")
	if err != nil {
		return err
	}
	s.tmp = tmp.Name()
	err = s.records.Write(tmp, f)
	return errors.Join(err, tmp.Sync(), tmp.Close())
}

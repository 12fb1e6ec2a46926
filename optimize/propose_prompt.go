package optimize

import (
	"strings"
	"unicode"

	"github.com/whetgo/whet/signature"
)

// The fields of the prompts, whose names are DSPy's.
const (
	fieldExamples    = "examples"
	fieldPrior       = "prior_observations"
	fieldObserved    = "observations"
	fieldSummary     = "summary"
	fieldCode        = "program_code"
	fieldExample     = "program_example"
	fieldProgram     = "program_description"
	fieldModule      = "module"
	fieldAbout       = "module_description"
	fieldData        = "dataset_description"
	fieldDemos       = "task_demos"
	fieldBasic       = "basic_instruction"
	fieldTip         = "tip"
	fieldInstruction = "proposed_instruction"
)

// What stands where there is nothing to say.
const (
	noDemos     = "There are none yet."
	undescribed = "There is no description."
)

// complete is the reply of a reader of examples who has nothing to add.
const complete = "COMPLETE"

// prompt is what the prompt model is asked.
type prompt struct {
	instructions string
	asks         string // the field of the answer
	want         string // what it is to hold
}

func datasetPrompt() prompt {
	return prompt{
		"Here are examples of a data set. Read them and note what most of them have in common: what they are about, how they are written, how long they are, and how what is asked relates to what is answered. Say also which task somebody probably collected them for.",
		fieldObserved, "Your notes on the data set",
	}
}

func datasetMorePrompt() prompt {
	return prompt{
		"Here are further examples of a data set, and the notes that were made on the ones before. Note what else these examples show: what the notes lack, and what in them does not hold. If the notes say it all, answer " + complete + ".",
		fieldObserved, "What the notes lack, or " + complete,
	}
}

func summaryPrompt() prompt {
	return prompt{
		"Condense these notes on a data set to two or three sentences. Keep what helps somebody to do the task well who has never seen the data.",
		fieldSummary, "The notes in two or three sentences",
	}
}

func programPrompt() prompt {
	return prompt{
		"Here is an outline of a program that calls a language model: every call with its inputs, its outputs and what the model is told. Explain which task the program does and how its calls work together.",
		fieldProgram, "What the program is for, and how it works",
	}
}

func modulePrompt() prompt {
	return prompt{
		"Here is an outline of a program that calls a language model, and one of its calls. Explain what this call is there for: what it is given, what it has to find out, and what becomes of its answer.",
		fieldAbout, "What the call does for the program",
	}
}

func instructionPrompt() prompt {
	return prompt{
		"Write better instructions for a language model that has to do the task below. It sees your instructions before each question, together with the names of the fields that it reads and writes. Use all that you are told here, so that it answers questions right that nobody has seen yet.",
		fieldInstruction, "The instructions, word for word as the model is to read them",
	}
}

// hint describes an input.
func hint(field string) string {
	switch field {
	case fieldExamples:
		return "Examples of the data set, one a line"
	case fieldPrior:
		return "The notes so far"
	case fieldObserved:
		return "Notes on the data set"
	case fieldCode:
		return "The outline of the program"
	case fieldExample:
		return "What the call was given and answered in some runs"
	case fieldProgram:
		return "What the program does"
	case fieldModule:
		return "The call that is meant"
	case fieldAbout:
		return "What the call does for the program"
	case fieldData:
		return "What is known about the data"
	case fieldDemos:
		return "Some questions with answers that were accepted"
	case fieldBasic:
		return "The instructions so far"
	case fieldTip:
		return "How to go about it this time"
	}
	return ""
}

// signature returns that of a prompt with these inputs.
func (p prompt) signature(in signature.Record) (*signature.Signature, error) {
	text := &signature.Type{Kind: signature.KindString}
	var inputs []signature.Field
	for name := range in.All() {
		inputs = append(inputs, signature.Field{Name: name, Desc: hint(name), Type: text})
	}
	return signature.New(p.instructions, inputs, []signature.Field{{Name: p.asks, Desc: p.want, Type: text}})
}

// tip hints at a style of instructions.
type tip struct{ name, text string }

// tips returns the tips in the order in which DSPy has its own.
func tips() []tip {
	return []tip{
		{"none", ""},
		{"creative", "Try an approach that would not occur to most people."},
		{"simple", "Use few words, and plain ones."},
		{"descriptive", "Be thorough: explain the task, its terms and what makes an answer good."},
		{"high stakes", "Describe a situation in which much depends on a right answer, and put the model into it."},
		{"persona", "Begin by telling the model who it is, namely somebody whose work this task is."},
	}
}

// unlabelled takes off what models put around an instruction, as DSPy does: a label of at most
// five words and a colon before it, such as "Proposed instruction:", and quotation marks.
func unlabelled(text string) string {
	if label, rest, ok := strings.Cut(text, ":"); ok {
		label = strings.TrimLeftFunc(label, func(r rune) bool { return r == '*' || unicode.IsSpace(r) })
		words := strings.Fields(label)
		inWord := func(r rune) bool {
			return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSpace(r) || strings.ContainsRune("_'-", r)
		}
		if 0 < len(words) && len(words) <= 5 && label == strings.TrimRightFunc(label, unicode.IsSpace) && strings.IndexFunc(label, func(r rune) bool { return !inWord(r) }) < 0 {
			text = strings.TrimLeftFunc(rest, unicode.IsSpace)
		}
	}
	return strings.TrimSpace(strings.Trim(text, `"`))
}

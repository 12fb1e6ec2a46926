package adapter

import (
	"fmt"
	"slices"

	"github.com/whetgo/whet/lm"
	"github.com/whetgo/whet/signature"
)

// toolCallResults is the field under which a turn holds what its tool calls gave,
// and the marker under which a model sees it.
const toolCallResults = "tool_call_results"

// earlier writes the earlier turns of a conversation. As in DSPy each user message
// ends with the line that ends a request, so that a conversation goes on word for
// word as it began, and outputs that a turn lacks are None.
func (d *dialogue) earlier(in signature.Record) ([]lm.Message, error) {
	turns, err := earlierTurns(d.adapter, d.history, in)
	if err != nil {
		return nil, err
	}
	var messages []lm.Message
	for _, turn := range turns {
		if slices.ContainsFunc(d.asked, func(f slot) bool { _, ok := turn.Get(f.Name); return ok }) {
			user, err := d.user("", d.asked, turn, d.requirement)
			if err != nil {
				return nil, err
			}
			messages = append(messages, user)
		}
		turn, results := takeResults(turn)
		assistant, err := d.assistant(turn, nil)
		if err != nil {
			return nil, err
		}
		messages = append(messages, assistant)
		if results.Len() > 0 {
			f := signature.Field{Name: toolCallResults, Type: &signature.Type{Kind: signature.KindAny}}
			user, err := d.user("", []slot{{f, marker(f.Name) + "\n"}}, signature.RecordOf(f.Name, results), "")
			if err != nil {
				return nil, err
			}
			messages = append(messages, user)
		}
	}
	return messages, nil
}

// earlierTurns returns the turns that the input of that name holds.
func earlierTurns(adapter, name string, in signature.Record) ([]signature.Record, error) {
	if name == "" {
		return nil, nil
	}
	v, _ := in.Get(name)
	if v == nil {
		return nil, nil
	}
	history, _ := v.(signature.Record)
	list, _ := history.Get("messages")
	items, ok := list.([]signature.Value)
	if !ok {
		return nil, &FormatError{adapter, name, "want the earlier turns of a conversation: an object with a list \"messages\", which a signature.History is written as"}
	}
	turns := make([]signature.Record, len(items))
	for i, item := range items {
		if turns[i], ok = item.(signature.Record); !ok {
			return nil, &FormatError{adapter, name, fmt.Sprintf("turn %d is no object with inputs and outputs", i)}
		}
	}
	return turns, nil
}

// takeResults parts a turn from the results of its tool calls: the model made the
// calls, and sees the results in a message of their own.
func takeResults(turn signature.Record) (rest, results signature.Record) {
	for name, v := range turn.All() {
		calls, ok := v.(signature.Record)
		if !ok {
			continue
		}
		if _, ok := calls.Get("tool_calls"); !ok {
			continue
		}
		v, _ := calls.Get(toolCallResults)
		if o, ok := v.(signature.Record); ok {
			if v, ok = o.Get(toolCallResults); !ok {
				v = []signature.Value{o}
			}
		}
		items, ok := v.([]signature.Value)
		if !ok {
			return turn, signature.Record{}
		}
		list := make([]signature.Value, len(items))
		for i, item := range items {
			list[i] = item
			if r, ok := item.(signature.Record); ok {
				list[i] = signature.RecordOf("call_id", nil, "name", nil, "value", nil, "is_error", false).Merge(r)
			}
		}
		return turn.With(name, calls.Without(toolCallResults)), signature.RecordOf(toolCallResults, list)
	}
	return turn, signature.Record{}
}

package lmtest

import (
	"strings"

	"github.com/whetgo/whet/lm"
)

// synthMessages asks as adapter.Chat does, in words of the test's own.
func synthMessages(p SynthPrompt, question, hint, field string) []lm.Message {
	system := "Your input fields are:\n1. `question` (str):\nYour output fields are:\n1. `" + field + "` (str):\nAll interactions are like this.\n"
	if p.Strategy != 0 || len(p.Rules) > 0 {
		system += p.Instruction()
	}
	messages := []lm.Message{lm.System(system)}
	for _, d := range p.Demos {
		messages = append(messages,
			lm.User("[[ ## question ## ]]\nitem-"+fourDigits(d.Item)),
			lm.Assistant("[[ ## "+field+" ## ]]\n"+d.Label+"\n\n[[ ## completed ## ]]\n"))
	}
	ask := "[[ ## question ## ]]\n" + question
	if hint != "" {
		ask += "\n\n[[ ## hint ## ]]\n" + hint
	}
	return append(messages, lm.User(ask+"\n\nThe `[[ ## "+field+" ## ]]` is one of alpha, beta, gamma, delta."))
}

// many are more demos than are good for a prompt.
const many = "0000:alpha,0001:beta,0002:gamma,0003:delta,0004:alpha,0005:beta,0006:gamma,0007:delta,0008:alpha,0009:beta,0010:gamma"

// synthCases are the vectors of version n, without what is computed.
func synthCases(n int) synthVectors {
	v := synthVectors{
		Proposals: []proposalVector{{World: 0, K: 0}, {World: 0, K: 1}, {World: 3, K: 2, Request: "Use strategy-30. Follow rule-1."}},
		Expected: []truthVector{
			{World: 0, Prompts: []string{"S00/"}},
			{World: 1, Base: 8000, Prompts: []string{"S11/"}},
			{World: 2, Prompts: []string{"S12/0001:alpha,0002:beta,0003:gamma"}},
		},
		Answers: []answerVector{
			{World: 0, Prompt: "S00/", Query: 1000},
			{World: 0, Prompt: "S07/", Query: 1001},
			{World: 0, Base: 8000, Prompt: "S07/0003:beta,0005:alpha", Query: 1002},
			{World: 1, Prompt: "S31/0000:delta", Query: 1003, Rollout: 3},
			{World: 3, Prompt: "S05/0009:gamma,0210:beta", Query: 210},
			{World: 7, Prompt: "S19/" + many, Query: 2999, Rollout: 1},
			{World: 19, Prompt: "S12/0011:alpha,0011:beta", Query: 5000},
			{World: 199, Base: 2000, Prompt: "S01/9999:beta", Query: 7},
		},
	}
	switch n {
	case 1:
		v.Grids = []gridVector{{World: 0}, {World: 5}}
		v.Answers = append(v.Answers,
			answerVector{World: 4, Rugged: 1500, Prompt: "S00/", Query: 1004},
			answerVector{World: 4, Rugged: 1500, Prompt: "S03/0012:alpha", Query: 1004})
		v.Expected = append(v.Expected, truthVector{World: 4, Rugged: 1500, Prompts: []string{"S03/0012:alpha"}}, truthVector{World: 7, Prompts: []string{"S19/" + many}})
	case 2:
		v.Answers = pipelineCases(v.Answers)
		v.Expected = []truthVector{
			{World: 0, Prompts: []string{"S00/", "S00/"}},
			{World: 1, Base: 8000, Prompts: []string{"S11/", "S00/"}},
			{World: 1, Base: 8000, Prompts: []string{"S00/", "S11/"}},
			{World: 2, Prompts: []string{"S12/0001:alpha,0002:beta", "S13/" + many}},
		}
	case 3:
		feedbackCases(&v)
	}
	return v
}

// pipelineCases asks both predictors, the second one with several hints.
func pipelineCases(plain []answerVector) []answerVector {
	var out []answerVector
	for i, a := range plain {
		a.Predictor = 1
		out = append(out, a)
		a.Predictor = 2
		a.Hint = append(strings.Fields("alpha beta gamma delta"), "")[i%5]
		out = append(out, a)
	}
	return out
}

// feedbackCases gives the prompts rules, and adds what only SynthFeedback has.
func feedbackCases(v *synthVectors) {
	for i, rules := range []string{"", "0", "012", "5", "024", "012345", "13", "3"} {
		s, demos, _ := strings.Cut(v.Answers[i].Prompt, "/")
		v.Answers[i].Prompt = s + "/R" + rules + "/" + demos
	}
	v.Expected = []truthVector{
		{World: 0, Prompts: []string{"S00/R/"}},
		{World: 0, Prompts: []string{"S00/R0/"}},
		{World: 0, Prompts: []string{"S00/R012345/"}},
		{World: 1, Base: 8000, Prompts: []string{"S11/R15/"}},
		{World: 2, Prompts: []string{"S12/R4/0001:alpha"}},
	}
	v.Harmful = []harmVector{{World: 0}, {World: 1}, {World: 2}}
	v.Feedback = []feedbackVector{
		{World: 0, Item: 0, Instruction: "", Answered: "alpha"},
		{World: 0, Item: 0, Instruction: "", Answered: "delta"},
		{World: 0, Item: 1, Instruction: "Follow rule-0. Follow rule-1. Follow rule-2. Follow rule-3. Follow rule-4. Follow rule-5.", Answered: "none"},
	}
	const shown = "score 40: Use strategy-02. Follow rule-5.\nscore 60: Use strategy-04. Follow rule-1. Follow rule-3.\n"
	const wrong = "The item is of type-2; missing rule-2.\nThe item is of type-0; missing rule-0. The item is of type-1; has rule-1.\nThe item is of type-2; missing rule-2.\nThe item is of type-5; missing rule-5."
	v.Proposals = nil
	for k := range 6 {
		v.Proposals = append(v.Proposals, proposalVector{World: 0, Skill: 8000, K: k, Request: shown})
	}
	for k := range 4 {
		v.Proposals = append(v.Proposals, proposalVector{World: 0, Skill: 8000, K: k, Request: shown + wrong})
	}
	v.Proposals = append(v.Proposals,
		proposalVector{World: 1, Skill: 10000, K: 3, Request: wrong},
		proposalVector{World: 1, Skill: 10000, K: 3, Request: "Follow rule-0, rule-2 and rule-5.\n" + wrong},
		proposalVector{World: 1, Skill: 10000, K: 4, Request: `["Use strategy-63. Follow rule-4.", "Use strategy-09. Follow xrule-3, rule-33, rule-7."] missing rule-4, missing rule-1`})
}

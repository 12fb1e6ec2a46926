"""Prints copro_run.json, runs of the real DSPy's COPRO (made with 3.4.1):

    pip install dspy==3.4.1
    python3 make_copro.py > copro_run.json

There are 20 examples, text -> label, with the label "good". An instruction names its
variant, as in "variant 7", or is variant 0. Message i is answered rightly under variant v
if (7*i + 3*v) % 20 < (37*v + 11) % 20. In the program of two predictors the first one,
text -> topic, answers with "right" or "wrong" by that rule, and the second one,
text, topic -> label, is right if the topic is and (3*i + 11*v) % 20 < 8 + (29*v + 5) % 13.

The k-th instruction that is proposed is "Try variant <(5*k*k + 3*k) % 19 + 1>.", so that some
come again; every third one stands in quotation marks. The prefix of the output is always
proposed as it is: whet does not search it.
"""
import json
import re
import sys
import warnings
from types import SimpleNamespace as N

warnings.filterwarnings("ignore")

import dspy
from dspy.teleprompt import COPRO


def variant(text):
    found = re.findall(r"variant (\d+)", text)
    return int(found[-1]) if found else 0


class Model(dspy.BaseLM):
    def __init__(self):
        super().__init__(model="mock", temperature=0.0, max_tokens=1000, cache=False)
        self.log = N(k=0, programs=[], pending=None, attempts=[], asked=[])

    def forward(self, prompt=None, messages=None, **kwargs):
        system, last, log = messages[0]["content"], messages[-1]["content"], self.log
        n = kwargs.get("n") or 1
        if "proposed_instruction" in system:
            tried = re.findall(r"Instruction #\d+: (.*?)(?:»|\n|$)", last)
            scores = re.findall(r"Resulting Score #\d+: ([0-9.]+)", last)
            log.asked.append(n)
            log.attempts.append([[t, float(s)] for t, s in zip(tried, scores, strict=True)])
            texts = []
            for _ in range(n):
                text = "Try variant %d." % ((5 * log.k * log.k + 3 * log.k) % 19 + 1)
                if log.k % 3 == 2:
                    text = '"' + text + '"'
                log.k += 1
                texts.append("[[ ## proposed_instruction ## ]]\n%s\n\n[[ ## proposed_prefix_for_output_field ## ]]\nLabel:\n\n[[ ## completed ## ]]" % text)
            return N(choices=[N(message=N(content=t, tool_calls=None), finish_reason="stop", logprobs=None) for t in texts], usage={}, model="mock")
        v, i = variant(system), int(re.search(r"message (\d+)", last).group(1))
        first = (7 * i + 3 * v) % 20 < (37 * v + 11) % 20
        if "`topic` (str)" in system.split("Your output fields are:")[-1].split("All interactions")[0]:
            log.pending = v
            field, value = "topic", "right" if first else "wrong"
        elif "[[ ## topic ## ]]\n" in last:
            good = "[[ ## topic ## ]]\nright" in last and (3 * i + 11 * v) % 20 < 8 + (29 * v + 5) % 13
            field, value = "label", "good" if good else "bad"
            if [log.pending, v] not in log.programs:
                log.programs.append([log.pending, v])
        else:
            field, value = "label", "good" if first else "bad"
            if [v] not in log.programs:
                log.programs.append([v])
        text = "[[ ## %s ## ]]\n%s\n\n[[ ## completed ## ]]" % (field, value)
        return N(choices=[N(message=N(content=text, tool_calls=None), finish_reason="stop", logprobs=None)], usage={}, model="mock")


class Two(dspy.Module):
    def __init__(self):
        super().__init__()
        self.topic = dspy.Predict("text -> topic")
        self.label = dspy.Predict("text, topic -> label")

    def forward(self, text):
        return self.label(text=text, topic=self.topic(text=text).topic)


def run(program, breadth, depth):
    lm = Model()
    train = [dspy.Example(text="message %d" % i, label="good").with_inputs("text") for i in range(20)]
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        best = COPRO(metric=lambda e, p, trace=None: e.label == p.label, breadth=breadth, depth=depth).compile(
            program, trainset=train, eval_kwargs=dict(num_threads=1, display_progress=False))
    variants = lambda p: [variant(x.signature.instructions) for x in p.predictors()]
    return dict(
        breadth=breadth, depth=depth, predictors=len(best.predictors()), evaluations=best.total_calls, asked=lm.log.asked,
        attempts=[[[variant(t), s] for t, s in a] for a in lm.log.attempts], programs=lm.log.programs, best=variants(best),
        candidates=[dict(score=c["score"], variants=variants(c["program"])) for c in best.candidate_programs])


def main():
    out = dict(dspy_version=dspy.__version__, note="made by make_copro.py", runs=[])
    for breadth, depth in ((10, 3), (3, 2), (4, 5)):
        out["runs"].append(run(dspy.Predict("text -> label"), breadth, depth))
    for breadth, depth in ((4, 3), (3, 2)):
        out["runs"].append(run(Two(), breadth, depth))
    json.dump(out, sys.stdout)
    print()


if __name__ == "__main__":
    main()

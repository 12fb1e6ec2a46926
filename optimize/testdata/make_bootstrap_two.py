"""Prints bootstrap_two.json, a run of the real DSPy (made with 3.4.1):

    pip install dspy==3.4.1
    python3 make_bootstrap_two.py > bootstrap_two.json

The program has two predictors, Predict(text -> topic) and then
ChainOfThought(text, topic -> label). There are 14 examples that know text and
label. The model: i is the number in the last user message. The topic is
"topic <i%2>". The label is right if i%3 != 2; where i%3 == 2 it is right only at
temperature 1, that is in the second round, unless i%4 == 0, where it never is.
For i == 4 the reply to the first predictor cannot be parsed (an error). The
reasoning is "because <i>".
"""
import contextlib
import io
import json
import re
import sys

import dspy

LABELS = ["ham", "spam", "smishing"]


class Model(dspy.BaseLM):
    def __init__(self, **kwargs):
        super().__init__(model="mock", **{"temperature": None, "max_tokens": 100, "cache": False, **kwargs})
        self.count = COUNT

    def forward(self, prompt=None, messages=None, **kwargs):
        self.count[0] += 1
        merged = {**self.kwargs, **kwargs}
        last = messages[-1]["content"]
        i = int(re.search(r"message (\d+)", last).group(1))
        if "[[ ## topic ## ]]\n" not in last:
            text = "no field here" if i == 4 else f"[[ ## topic ## ]]\ntopic {i % 2}\n\n[[ ## completed ## ]]"
        else:
            right = i % 3 != 2 or (merged.get("temperature") == 1.0 and i % 4 != 0)
            label = LABELS[i % 3 if right else (i + 1) % 3]
            text = f"[[ ## reasoning ## ]]\nbecause {i}\n\n[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"
        from types import SimpleNamespace as N

        return N(choices=[N(message=N(content=text, tool_calls=None), finish_reason="stop", logprobs=None)], usage={}, model="mock")


COUNT = [0]


class Two(dspy.Module):
    def __init__(self):
        super().__init__()
        self.topic = dspy.Predict("text -> topic")
        self.judge = dspy.ChainOfThought("text, topic -> label")

    def forward(self, text):
        topic = self.topic(text=text).topic
        return self.judge(text=text, topic=topic)


def demos(program):
    return {
        name: [{"augmented": bool(d.get("augmented", False)), "fields": {k: v for k, v in d.items() if k != "augmented"}} for d in p.demos]
        for name, p in program.named_predictors()
    }


def main():
    dspy.settings.configure(lm=Model(), adapter=dspy.ChatAdapter(use_json_adapter_fallback=False), disable_history=True)
    train = [dspy.Example(text=f"message {i}", label=LABELS[i % 3]).with_inputs("text") for i in range(14)]

    def metric(example, pred, trace=None):
        return example.label == pred.label

    out = {"dspy_version": dspy.__version__, "note": "made by make_bootstrap_two.py", "runs": []}
    for args in (
        dict(max_bootstrapped_demos=3, max_labeled_demos=5, max_rounds=1),
        dict(max_bootstrapped_demos=6, max_labeled_demos=8, max_rounds=2),
        dict(max_bootstrapped_demos=2, max_labeled_demos=0, max_rounds=2),
        dict(max_bootstrapped_demos=20, max_labeled_demos=6, max_rounds=1),
    ):
        COUNT[0] = 0
        with contextlib.redirect_stdout(io.StringIO()):
            program = dspy.BootstrapFewShot(metric=metric, **args).compile(Two(), trainset=train)
        out["runs"].append({"args": args, "lm_calls": COUNT[0], "demos": demos(program)})
    labeled = dspy.LabeledFewShot(k=3).compile(Two(), trainset=train)
    out["labeled_k3"] = demos(labeled)
    json.dump(out, sys.stdout, indent=1)
    print()


main()

"""Loads programs that Go saved into the real DSPy and prints the messages that
DSPy would send. Reads a JSON object from stdin:

    {"program": "predict" | "cot" | "two", "file": path, "inputs": {name: {...}}}

and prints {name: [{"role": ..., "content": ...}, ...]}, by predictor name.
"""

import json
import sys
from typing import Literal

import dspy


class Classify(dspy.Signature):
    """Classify the SMS text message as ham, spam or smishing."""

    text: str = dspy.InputField()
    label: Literal["ham", "spam", "smishing"] = dspy.OutputField(desc="one of the three labels")


class Rate(dspy.Signature):
    text: str = dspy.InputField()
    label: str = dspy.InputField()
    urgent: bool = dspy.OutputField()
    words: list[str] = dspy.OutputField()


class Two(dspy.Module):
    def __init__(self):
        super().__init__()
        self.classify = dspy.ChainOfThought(Classify)
        self.rate = dspy.Predict(Rate)


PROGRAMS = {
    "predict": lambda: dspy.Predict(Classify),
    "cot": lambda: dspy.ChainOfThought(Classify),
    "two": Two,
}

ask = json.load(sys.stdin)
program = PROGRAMS[ask["program"]]()
program.load(ask["file"])
out = {}
for name, predictor in program.named_predictors():
    inputs = ask["inputs"][name]
    out[name] = dspy.ChatAdapter().format(predictor.signature, predictor.demos, inputs)
json.dump(out, sys.stdout)

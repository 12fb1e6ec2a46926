"""Runs programs that Go saved in the real DSPy. Reads a JSON object from stdin:

    {"server": address, "max_tokens": n, "runs": [{"file": path, "rows": [{"text": ..., "city": ...}, ...]}, ...]}

and prints for each run what DSPy made of it, "" for a row that failed:

    [{"answers": [text, ...], "right": [number, ...], "score": percent}, ...]
"""

import json
import logging
import sys
from typing import Literal

import dspy

logging.disable(logging.CRITICAL)


class Find(dspy.Signature):
    """Not known yet: the files have the instructions."""

    text: str = dspy.InputField()
    city: Literal["Oslo", "Paris", "Rome"] = dspy.OutputField()


class Program(dspy.Module):
    def __init__(self):
        super().__init__()
        self.find = dspy.Predict(Find)

    def forward(self, text):
        return self.find(text=text)


def run(file, rows):
    program = Program()
    program.load(file)
    evaluate = dspy.Evaluate(
        devset=[dspy.Example(**row).with_inputs("text") for row in rows],
        metric=lambda row, got, trace=None: row.city == got.city,
        num_threads=1,
        display_progress=False,
        max_errors=10**6,
    )
    result = evaluate(program)
    return {
        "answers": [getattr(got, "city", None) or "" for _, got, _ in result.results],
        "right": [float(score) for _, _, score in result.results],
        "score": result.score,
    }


ask = json.load(sys.stdin)
# llama-server has one model and does not look at the name. DSPy does: it is one of a model
# that takes the schema of a reply, as this server does.
model = dspy.LM(
    "openai/gpt-4o-mini",
    api_base=ask["server"] + "/v1",
    api_key="none",
    temperature=0.0,
    max_tokens=ask["max_tokens"],
    cache=False,
    num_retries=0,
)
dspy.configure(lm=model, adapter=dspy.ChatAdapter())
json.dump([run(**r) for r in ask["runs"]], sys.stdout)

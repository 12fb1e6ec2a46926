"""Runs a ReAct of the real DSPy with scripted replies. Reads a JSON object from stdin:

    {"load": path, "save": path, "question": text, "replies": [{field: text, ...}, ...]}

loads the program that Go saved, runs it, saves it, and prints what DSPy sent and what it
answered: {"sent": [[{"role": ..., "content": ...}, ...], ...], "answer": text}.
"""

import json
import sys

import dspy
from dspy.utils import DummyLM


def add(a: int, b: int = 2) -> int:
    return a + b


def shout(text: str) -> str:
    return text.upper() + "!\n"


ask = json.load(sys.stdin)
model = DummyLM(ask["replies"])
dspy.configure(lm=model)
program = dspy.ReAct("question -> answer", tools=[add, shout])
program.load(ask["load"])
answer = program(question=ask["question"]).answer
program.save(ask["save"])
sent = [[{"role": m["role"], "content": m["content"]} for m in call["messages"]] for call in model.history]
json.dump({"sent": sent, "answer": answer}, sys.stdout)

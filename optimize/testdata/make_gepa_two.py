"""Prints gepa_two.json, runs of the real DSPy (made with 3.4.1 and gepa 0.1.4):

    pip install dspy==3.4.1
    python3 make_gepa_two.py > gepa_two.json

The program has two predictors, Predict(text -> topic) and then
Predict(text, topic -> label). The model: i is the number in the last user
message, and a (or b) the number N of "Rule number N." in the instruction of the
first (or second) predictor, 0 where there is none. The topic is "topic <a>", but
where i%8 == 5 and a%3 == 1 the reply cannot be parsed. Then
x = (7i+3a)%11 + (5i+4b)%13 - a%5 - b%4, and the label is number i%3 where
x < 8, else (i+1)%3 where x < 11, else (i+2)%3; these score 1, 0.5 and 0. The
n-th reply of the reflection model is "Rule number n.".
"""
import contextlib
import io
import json
import logging
import random
import re
import sys
from types import SimpleNamespace as N

import dspy

LABELS = ["ham", "spam", "smishing"]


def reply(text):
    return N(choices=[N(message=N(content=text, tool_calls=None), finish_reason="stop", logprobs=None)], usage={}, model="mock")


class Task(dspy.BaseLM):
    def __init__(self):
        super().__init__(model="mock", temperature=None, max_tokens=100, cache=False)

    def forward(self, prompt=None, messages=None, **kwargs):
        rule = re.search(r"Rule number (\d+)", messages[0]["content"])
        number = int(rule.group(1)) if rule else 0
        last = messages[-1]["content"]
        i = int(re.search(r"message (\d+)", last).group(1))
        if "[[ ## topic ## ]]\n" not in last:
            if i % 8 == 5 and number % 3 == 1:
                return reply("no field here")
            return reply(f"[[ ## topic ## ]]\ntopic {number}\n\n[[ ## completed ## ]]")
        a, b = int(re.search(r"topic (\d+)", last).group(1)), number
        x = (7 * i + 3 * a) % 11 + (5 * i + 4 * b) % 13 - a % 5 - b % 4
        label = LABELS[(i + (0 if x < 8 else 1 if x < 11 else 2)) % 3]
        return reply(f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]")


class Reflection(dspy.BaseLM):
    def __init__(self):
        super().__init__(model="mock", temperature=None, max_tokens=100, cache=False)
        self.n = [0]

    def forward(self, prompt=None, messages=None, **kwargs):
        self.n[0] += 1
        return reply(json.dumps({"new_instruction": f"Rule number {self.n[0]}."}))


class Two(dspy.Module):
    def __init__(self):
        super().__init__()
        self.topic = dspy.Predict("text -> topic")
        self.judge = dspy.Predict("text, topic -> label")

    def forward(self, text):
        topic = self.topic(text=text).topic
        return self.judge(text=text, topic=topic)


def metric(gold, pred, trace=None, pred_name=None, pred_trace=None):
    off = (LABELS.index(pred.label) - LABELS.index(gold.label)) % 3
    return dspy.Prediction(score=[1.0, 0.5, 0.0][off], feedback=f"It is {off} off.")


def rules(program):
    found = [re.search(r"Rule number (\d+)", p.signature.instructions) for _, p in program.named_predictors()]
    return [int(m.group(1)) if m else 0 for m in found]


def sets():
    """In which order Python goes through sets: added, copied, and in common with another."""
    rng, out = random.Random(0), []
    for _ in range(60):
        a, b = ([rng.randrange(rng.choice([8, 20, 60, 200])) for _ in range(rng.randrange(1, 50))] for _ in range(2))
        s, t = set(), set()
        for n in a:
            s.add(n)
        for n in b:
            t.add(n)
        out.append({"a": a, "b": b, "added": list(s), "copied": list(set(s)), "common": list(s & t)})
    return out


def main():
    logging.disable(logging.CRITICAL)
    dspy.settings.configure(lm=Task(), adapter=dspy.ChatAdapter(use_json_adapter_fallback=False), disable_history=True)
    data = [dspy.Example(text=f"message {i}", label=LABELS[i % 3]).with_inputs("text") for i in range(80)]
    out = {"dspy_version": dspy.__version__, "note": "made by make_gepa_two.py", "runs": []}
    for train, val, args in (
        (16, 20, dict(max_metric_calls=900, seed=0)),
        (16, 20, dict(max_metric_calls=900, seed=1, reflection_minibatch_size=5)),
        (9, 31, dict(max_metric_calls=1500, seed=2)),
        (30, 24, dict(max_full_evals=20, seed=3, component_selector="all")),
        (30, 24, dict(max_metric_calls=700, seed=4, candidate_selection_strategy="current_best")),
        (30, 24, dict(max_metric_calls=700, seed=5, use_merge=False)),
        (2, 12, dict(max_metric_calls=600, seed=6, skip_perfect_score=False, max_merge_invocations=12)),
        (40, 40, dict(auto="light", seed=7)),
    ):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reflection = Reflection()
            best = dspy.GEPA(metric=metric, reflection_lm=reflection, num_threads=1, track_stats=True, **args).compile(
                Two(), trainset=data[:train], valset=data[train : train + val])
        r = best.detailed_results
        out["runs"].append({
            "train": train, "val": val, "args": args,
            "candidates": [rules(c) for c in r.candidates],
            "parents": [[p for p in ps if p is not None] for ps in r.parents],
            "scores": r.val_aggregate_scores,
            "found": r.discovery_eval_counts,
            "metric_calls": r.total_metric_calls,
            "reflections": reflection.n[0],
            "best": r.best_idx,
        })
    out["sets"] = sets()
    json.dump(out, sys.stdout)
    print()


main()

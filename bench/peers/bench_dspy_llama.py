#!/usr/bin/env python3
"""The peer's side of the local-model benchmark: DSPy over an OpenAI-compatible server (llama-server).

make bench-llama runs it, with a server of its own for each run. By hand:

    llama-server -m MODEL.gguf -c 32768 -np 8 -t 2 --port 8080 --metrics      # a second shell
    "$WHET_DSPY_PYTHON" bench/peers/bench_dspy_llama.py --base-url http://127.0.0.1:8080 \\
        --train first100.csv --rows last100.csv

Program: `text -> label: Literal['ham','spam','smishing']` with the demo's instructions and --demos labelled examples
(the first ones of the training file that cover the classes in turn). One pass over the rows, temperature 0, no cache,
after one call to warm up. Prints one JSON line: wall seconds, LM calls, tokens, failed rows, accuracy, macro F1, and how
many cores other processes kept busy meanwhile (neither this one nor, with --server-pid, the server). No row is printed.
"""
import argparse, csv, hashlib, json, logging, time, urllib.request
from typing import Literal
import dspy

ap = argparse.ArgumentParser()
ap.add_argument("--base-url", default="http://127.0.0.1:8080")
ap.add_argument("--model", default="openai/local")
ap.add_argument("--train", required=True)
ap.add_argument("--rows", required=True)
ap.add_argument("--limit", type=int, default=0, help="most rows; 0 is all")
ap.add_argument("--demos", type=int, default=8)
ap.add_argument("--threads", type=int, default=8)
ap.add_argument("--max-tokens", type=int, default=64)
ap.add_argument("--cot", action="store_true")
ap.add_argument("--server-pid", type=int, default=0)
a = ap.parse_args()
logging.disable(logging.CRITICAL)  # DSPy logs a row that fails, and what is in it

LABELS = ("ham", "spam", "smishing")

def load(path):
    with open(path, newline="", encoding="utf-8") as f:
        return [(r["TEXT"], r["LABEL"].strip().lower()) for r in csv.DictReader(f)]

class Classify(dspy.Signature):
    """Given an SMS text, predict whether it is ham, spam, or smishing.
    Output only the predicted label."""
    text: str = dspy.InputField(desc="The SMS text to classify")
    label: Literal["ham", "spam", "smishing"] = dspy.OutputField(desc="The predicted label")

def pick(rows, n):
    by = {c: [r for r in rows if r[1] == c] for c in LABELS}
    out = []
    while len(out) < n and any(by.values()):
        for c in LABELS:
            if by[c] and len(out) < n: out.append(by[c].pop(0))
    return out

def counters():
    """What the server has computed and decoded so far, if it was started with --metrics."""
    try:
        with urllib.request.urlopen(a.base_url + "/metrics") as r:
            lines = r.read().decode().splitlines()
    except OSError:
        return None
    v = dict(l.split() for l in lines if l.startswith("llamacpp:"))
    return float(v["llamacpp:prompt_tokens_total"]), float(v["llamacpp:tokens_predicted_total"])

def clock():
    """Seconds that all CPUs were busy, and that this process and the server were; None where /proc does not tell."""
    try:
        with open("/proc/stat") as f: n = f.readline().split()
        busy = sum(float(n[i]) for i in (1, 2, 3, 6, 7, 8)) / 100
        mine = 0.0
        for pid in ["self"] + ([a.server_pid] if a.server_pid else []):
            with open(f"/proc/{pid}/stat") as f: n = f.read().rsplit(")", 1)[1].split()
            mine += (float(n[11]) + float(n[12])) / 100
        return busy - mine
    except OSError:
        return None

def peak_mb():
    try:
        with open("/proc/self/status") as f:
            return next(int(l.split()[1]) * 1024 / 1e6 for l in f if l.startswith("VmHWM:"))
    except OSError:
        return 0

calls = {"n": 0}
class Counting(dspy.utils.callback.BaseCallback):
    def on_lm_start(self, call_id, instance, inputs): calls["n"] += 1

lm = dspy.LM(a.model, api_base=a.base_url + "/v1", api_key="none", temperature=0.0, max_tokens=a.max_tokens, cache=False)
dspy.configure(lm=lm, callbacks=[Counting()])
prog = dspy.ChainOfThought(Classify) if a.cot else dspy.Predict(Classify)
demos = [dspy.Example(text=t, label=l).with_inputs("text") for t, l in pick(load(a.train), a.demos)]
for _, p in prog.named_predictors(): p.demos = demos
rows = load(a.rows)
dev = [dspy.Example(text=t, label=l).with_inputs("text") for t, l in (rows[: a.limit] if a.limit else rows)]
ev = dspy.Evaluate(devset=dev, metric=lambda e, p, trace=None: e.label == getattr(p, "label", None),
                   num_threads=a.threads, display_progress=False, max_errors=10**9)
try: prog(text="warm up")
except dspy.utils.exceptions.AdapterParseError: pass  # a reply that cannot be read warms up as well
calls["n"], past = 0, len(lm.history)
done0, c0, t0 = counters(), clock(), time.time()
r = ev(prog)
dt, c1, done1 = time.time() - t0, clock(), counters()

pred = [getattr(p, "label", None) for _, p, _ in r.results]
gold = [e.label for e in dev]
f1s = []
for c in LABELS:
    tp = sum(p == g == c for p, g in zip(pred, gold)); fp = sum(p == c != g for p, g in zip(pred, gold)); fn = sum(g == c != p for p, g in zip(pred, gold))
    f1s.append(2 * tp / (2 * tp + fp + fn) if tp else 0.0)
tokens = {"prompt_tokens": 0, "completion_tokens": 0}
for h in lm.history[past:]:
    for k in tokens: tokens[k] += (h.get("usage") or {}).get(k, 0) or 0
sums = hashlib.sha256()
for e in dev:
    for m in dspy.ChatAdapter().format(prog.named_predictors()[0][1].signature, demos, dict(e.inputs())):
        sums.update(f"{m['role']}\n{m['content']}\0".encode())
print(json.dumps({
    "dspy": dspy.__version__, "rows": len(dev), "wall_s": round(dt, 3), "lm_calls": calls["n"], **tokens,
    "computed_tokens": int(sum(done1) - sum(done0)) if done0 and done1 else 0,
    "failed_rows": sum(p is None for p in pred), "accuracy": sum(p == g for p, g in zip(pred, gold)) / len(dev), "macro_f1": sum(f1s) / 3,
    "other_cpu": max(0.0, (c1 - c0) / dt) if c0 is not None and c1 is not None else None,
    "client_rss_mb": peak_mb(), "prompts_sha256": sums.hexdigest()}))

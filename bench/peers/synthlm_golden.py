#!/usr/bin/env python3
"""What the real DSPy's BootstrapFewShotWithRandomSearch does on SynthLM/1, number for number:
the golden file of optimize's TestRandomSearchSynthLM.

    "$WHET_DSPY_PYTHON" bench/peers/synthlm_golden.py > optimize/testdata/randomsearch_synthlm.json

The setting is that of the demo: 4 bootstrapped and 8 labeled demos at most, 16 candidates,
trained and scored on the training items 0 to 99, worlds 0 to 5. The model and its worlds are
those of synthlm.py of the peers (../shared/peers, or the folder that --peers names). Each line
is a world: requested calls, different prompts, the winner's score and demos, and each candidate
with its score and demos. A demo is an item, the label that is shown, and whether it was
bootstrapped.
"""
import argparse
import contextlib
import io
import json
import logging
import pathlib
import sys
import warnings

WORLDS = range(6)
ROWS = 100


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    ap = argparse.ArgumentParser()
    ap.add_argument("--peers", default=str(root.parent / "shared" / "peers"))
    args = ap.parse_args()
    sys.path.insert(0, args.peers)
    sys.dont_write_bytecode = True
    import synthlm

    warnings.filterwarnings("ignore")
    import dspy
    from dspy.teleprompt import BootstrapFewShotWithRandomSearch

    logging.disable(logging.CRITICAL)

    def shown(program):
        found = synthlm.STRATEGY.findall(program.predictors()[0].signature.instructions)
        demos = [
            {"item": int(d["question"].removeprefix("item-")), "label": d["answer"], "augmented": bool(d.get("augmented", False))}
            for d in program.predictors()[0].demos
        ]
        return (int(found[-1]) if found else 0), demos

    rows = []
    for seed in WORLDS:
        world = synthlm.World(seed)
        train = [
            dspy.Example(question="item-%04d" % i, answer=synthlm.LABELS[world.label(i)]).with_inputs("question")
            for i in range(ROWS)
        ]
        model = synthlm.make_lm(world, "student")
        dspy.configure(lm=model, adapter=dspy.ChatAdapter())
        # Also the constructor prints.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            optimizer = BootstrapFewShotWithRandomSearch(
                metric=lambda example, prediction, trace=None: example.answer == prediction.answer,
                max_bootstrapped_demos=4, max_labeled_demos=8, num_candidate_programs=16, num_threads=1)
            best = optimizer.compile(dspy.Predict("question -> answer"), trainset=train)
        strategy, demos = shown(best)
        candidates = [
            {"seed": c["seed"], "score": c["score"], "demos": shown(c["program"])[1]}
            for c in sorted(best.candidate_programs, key=lambda c: c["seed"])
        ]
        rows.append({
            "world": seed, "calls": model.count["task"], "unique": len(model.count["unique"]),
            "score": max(c["score"] for c in candidates), "expected": world.expected(0, [
                (d["item"], synthlm.LABELS.index(d["label"])) for d in demos]),
            "strategy": strategy, "demos": demos, "candidates": candidates,
        })
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    print('{"dspy": "%s", "worlds": [\n%s\n]}' % (dspy.__version__, lines))


if __name__ == "__main__":
    main()

"""Writes optuna.json: how often Optuna's TPESampler(multivariate=True) proposes each
combination after given histories. Run: python make_optuna.py > optuna.json (needs optuna)."""
import json
import random

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
DRAWS = 4000


def case(choices, n, seed, ties=False):
    rng = random.Random(seed)
    dist = {"p%03d" % i: optuna.distributions.CategoricalDistribution(range(k)) for i, k in enumerate(choices)}
    values = [[rng.randrange(k) for k in choices] for _ in range(n)]
    scores = [float(rng.randrange(3) if ties else -sum(abs(v - k // 2) for v, k in zip(vs, choices)) + rng.random()) for vs in values]
    total = 1
    for k in choices:
        total *= k
    counts = [0] * total
    for draw in range(DRAWS):
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=draw, multivariate=True))
        study.add_trials([optuna.trial.create_trial(params=dict(zip(dist, vs)), distributions=dist, value=s) for vs, s in zip(values, scores)])
        params = study.ask(dist).params
        at = 0
        for name, k in zip(dist, choices):
            at = at * k + params[name]
        counts[at] += 1
    return {"choices": choices, "values": values, "scores": scores, "counts": counts}


cases = [case([3, 4], 10, 1), case([4, 6], 34, 2), case([3, 4], 27, 3, ties=True), case([2, 3, 2], 70, 4), case([3, 1, 3], 26, 5)]
print("{\"optuna\": %s, \"cases\": [\n%s\n]}" % (json.dumps(optuna.__version__), ",\n".join(json.dumps(c) for c in cases)))

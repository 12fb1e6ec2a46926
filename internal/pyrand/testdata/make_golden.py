"""Prints python_random_more.json: python3 make_golden.py > python_random_more.json"""
import json
import platform
import random

SEEDS = [0, 7, -7, 2**31 - 1, 2**32, 2**32 + 5, 2**63 - 1, -(2**63), 2**64 - 1, 123456789012345]
SAMPLES = [(0, 0), (1, 1), (5, 0), (21, 5), (22, 5), (22, 6), (85, 6), (86, 6), (85, 21), (86, 21), (86, 22), (277, 22), (278, 22)]

cases = []
for seed in SEEDS:
    def fresh():
        return random.Random(seed)
    case = {"seed": str(seed)}
    r = fresh()
    case["bits"] = [[k, str(r.getrandbits(k))] for k in (1, 5, 31, 32, 33, 40, 63, 64)]
    r = fresh()
    case["below"] = [[n, r.randrange(n)] for n in (1, 2, 3, 1000, 2**31, 2**32, 2**32 + 1, 2**40)]
    r = fresh()
    case["randint"] = [r.randint(-5, 5) for _ in range(8)]
    case["sample"] = [[n, k, fresh().sample(range(n), k)] for n, k in SAMPLES]
    r = fresh()
    case["choices"] = r.choices(range(7), k=6)
    case["weighted"] = r.choices(range(4), [0.5, 0, 2, 1.5], k=12)
    r = fresh()
    for _ in range(2000):
        r.random()
    case["random2001"] = r.random()
    cases.append(case)
print(json.dumps({"note": f"CPython {platform.python_version()}, made by make_golden.py", "cases": cases}, separators=(",", ":")))

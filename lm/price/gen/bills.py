"""Draws bills of random models and usages, and lets the Python package work them out.

    python bills.py [--seed N] [--count N] >bills.json

The Python must have the package that requirements.txt pins. testdata/bills.json is what
it prints without arguments; TestBillsOfThePackage compares our table with it, and
TestBillsAnew runs it again where WHET_PRICES_PYTHON is set.
"""

import argparse
import json
import random
import warnings
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, getcontext

import genai_prices
from genai_prices.data import providers
from genai_prices.types import ClauseContains, ClauseEquals, ClauseStartsWith, ModelPrice

# What lm.Usage does not count and no bill here is about; see gen.py.
OTHER = {
    "output_citation_mtok", "input_mchars", "input_text_messages_kcount", "audio_hours",
    "input_audio_hours", "output_audio_hours", "input_gpixels", "input_document_kpages",
    "input_annotated_document_kpages", "rerank_searches_kcount",
}

getcontext().prec = 60


def conditions(model):
    if isinstance(model.prices, ModelPrice):
        return [model.prices]
    return [c.prices for c in model.prices]


def billable(model):
    """Whether tokens of input and output have a price, and nothing else is needed."""
    for price in conditions(model):
        keys = {key for key, value in price.__dict__.items() if value is not None}
        if keys & OTHER or not {"input_mtok", "output_mtok"} <= keys:
            return False
    return True


def tiered(model):
    return any(hasattr(value, "tiers") for price in conditions(model) for value in price.__dict__.values())


def dated(model):
    return len(conditions(model)) > 1


def references(rng, model):
    """Names that may stand for the model in a request."""
    yield model.id
    yield model.id.upper()
    for clause in getattr(model.match, "or_", [model.match]):
        match clause:
            case ClauseEquals():
                yield clause.equals
            case ClauseStartsWith():
                yield clause.starts_with + rng.choice(["", "-x", "-20260102", "-2026-01-02"])
            case ClauseContains():
                yield rng.choice(["", "a/"]) + clause.contains + rng.choice(["", "-x"])


def tokens(rng):
    return rng.randint(0, 10 ** rng.randint(1, 6))


def draw(rng, pool):
    provider, model = rng.choice(pool)
    prompt, completion = 1 + tokens(rng), tokens(rng)
    cached = rng.choice([0, rng.randint(0, prompt)])
    written = rng.choice([0, rng.randint(0, prompt - cached)])
    reasoning = rng.choice([0, rng.randint(0, completion)])
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 770 * 86400))
    when = {}
    if model.price_variants and rng.random() < 0.5:
        when = dict(rng.choice(model.price_variants).when)
    reference = rng.choice(list(references(rng, model)))
    usage = genai_prices.Usage(
        input_tokens=prompt,
        output_tokens=completion,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_reasoning_tokens=reasoning,
    )
    try:
        price = genai_prices.calc_price(
            usage, reference, provider_id=provider.id, genai_request_timestamp=at, price_context=when or None
        )
    except LookupError:
        return None  # the name, with what was added to it, is no model's
    if not billable(price.model):
        return None  # the name is an earlier model's
    nano = (price.total_price * 1_000_000_000).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return {
        "provider": provider.id,
        "model": reference,
        "at": at.isoformat(),
        "when": when,
        "prompt": prompt,
        "cached": cached,
        "written": written,
        "completion": completion,
        "reasoning": reasoning,
        "nano": int(nano),
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=100)
    options = arguments.parse_args()
    warnings.simplefilter("error")
    rng = random.Random(options.seed)
    everything = [(p, m) for p in providers for m in p.models if billable(m)]
    pools = [
        everything,
        [(p, m) for p, m in everything if tiered(m)],
        [(p, m) for p, m in everything if dated(m)],
        [(p, m) for p, m in everything if m.price_variants],
    ]
    bills = []
    while len(bills) < options.count:
        if bill := draw(rng, pools[len(bills) % len(pools)]):
            bills.append(bill)
    print('{"version": %s, "seed": %d, "bills": [' % (json.dumps(genai_prices.__version__), options.seed))
    print(",\n".join(json.dumps(b) for b in bills))
    print("]}")


main()

#!/usr/bin/env python3
"""Makes lm/price/prices.json of the data in the Python package genai-prices.

    python3 lm/price/gen/gen.py            write ../prices.json and ../LICENSE.genai-prices
    python3 lm/price/gen/gen.py WHEEL      the same of a wheel that was downloaded before

The package is fetched by pip in the version and with the sha256 that requirements.txt
pins. No code of it runs: its data are read out of the syntax tree of data.py. To take a
newer version, change requirements.txt and AS_OF, run this and bills.py, and look at the
diff: a model takes one line.
"""

import ast
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal

# The day on which the pinned version was the newest one. The package itself has no date.
AS_OF = "2026-11-25"

HERE = pathlib.Path(__file__).resolve().parent

# The units that lm.Usage counts, and what a request tells of itself.
RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
    "requests_kcount": "requests",
    "input_audio_mtok": "audio",
    "input_image_mtok": "image",
    "input_video_mtok": "video",
}

# Parts of what is counted above, which lm.Usage does not tell apart from the rest of it.
PARTS = {
    "cache_write_5m_mtok", "cache_write_1h_mtok",
    "cache_audio_read_mtok", "cache_image_read_mtok", "cache_video_read_mtok",
    "output_audio_mtok", "output_image_mtok", "output_video_mtok",
}

# Tools of the provider's own, which cost extra only where a request asks for them, and
# lm.Request cannot.
TOOLS = {"web_searches_kcount", "social_searches_kcount", "storage_searches_kcount", "code_executions_kcount"}

# What makes a bill that lm.Usage cannot tell at all: a model with one of these has no
# known cost.
OTHER = {
    "output_citation_mtok", "input_mchars", "input_text_messages_kcount", "audio_hours",
    "input_audio_hours", "output_audio_hours", "input_gpixels", "input_document_kpages",
    "input_annotated_document_kpages", "rerank_searches_kcount",
}

# Digits behind the point that a price may have. Some prices of the source are fractions
# that were computed in binary, such as 0.13999999999999999.
DIGITS = Decimal(1).scaleb(-12)


class Record:
    """A call in data.py, such as ModelInfo(id='x')."""

    def __init__(self, name, fields):
        self.name, self.fields = name, fields

    def get(self, field, default=None):
        value = self.fields.get(field)
        return default if value is None else value


def value(node):
    match node:
        case ast.Constant():
            return node.value
        case ast.List() | ast.Tuple():
            return [value(n) for n in node.elts]
        case ast.Dict():
            return {value(k): value(v) for k, v in zip(node.keys, node.values)}
        case ast.Attribute(attr="utc" | "UTC"):
            return "utc"
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=text)]):
            return Decimal(text)
        case ast.Call(func=ast.Attribute(attr="date"), args=args):
            return datetime.date(*map(value, args))
        case ast.Call(func=ast.Attribute(attr="time"), args=args, keywords=keywords):
            if any(value(k.value) != "utc" for k in keywords):
                sys.exit(f"a time that is not UTC: {ast.unparse(node)}")
            return datetime.time(*map(value, args))
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            return Record(name, {k.arg: value(k.value) for k in keywords})
    sys.exit(f"data.py has something new: {ast.unparse(node)[:200]}")


def providers(source):
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and node.target.id == "providers":
            return value(node.value)
    sys.exit("data.py has no list of providers")


def pattern(clause):
    """A clause of one text, in the notation of prices.json."""
    ((kind, text),) = clause.fields.items()
    if kind == "regex":
        # RE2 has no look-ahead, but two patterns say the same where one begins with it.
        for ahead in (re.fullmatch(r"\^\(\?!(.*?)\)(.*)", text), re.fullmatch(r"\^\(\?!(.*)\)()", text)):
            if ahead and ahead[1].count("(") == ahead[1].count(")"):
                return ["!re:^(?:" + ahead[1] + ")"] + (["re:^" + ahead[2]] if ahead[2] else [])
        if "(?!" in text or "(?=" in text or "(?<" in text:
            sys.exit(f"a regular expression that RE2 does not know: {text}")
        return ["re:" + text]
    text = text.lower()
    if not text or text[0] in "!" or "*" in text or text.startswith("re:"):
        sys.exit(f"a text that has a meaning in prices.json: {text!r}")
    return [{"equals": "{}", "starts_with": "{}*", "ends_with": "*{}", "contains": "*{}*"}[kind].format(text)]


def alternatives(clause):
    """A clause as a list of alternatives, each a list of patterns that all must match."""
    if clause.name == "ClauseOr":
        return [a for c in clause.fields["or_"] for a in alternatives(c)]
    if clause.name == "ClauseAnd":
        out = [[]]
        for c in clause.fields["and_"]:
            out = [left + right for left in out for right in alternatives(c)]
        return out
    return [pattern(clause)]


def matcher(clause):
    out = []
    for a in alternatives(clause):
        if (short := a[0] if len(a) == 1 else a) not in out:
            out.append(short)
    return out


class Number(float):
    """A decimal that goes into JSON as it is."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self):
        return self.text


def number(decimal):
    text = format(decimal.quantize(DIGITS).normalize(), "f")
    return int(text) if "." not in text else Number(text)


def rate(price):
    if isinstance(price, Decimal):
        return number(price)
    tiers = sorted(price.fields["tiers"], key=lambda t: t.fields["start"])
    return [number(price.fields["base"])] + [[t.fields["start"], number(t.fields["price"])] for t in tiers]


def condition(constraint):
    match constraint:
        case None:
            return {}
        case Record(name="StartDateConstraint"):
            return {"from": constraint.fields["start_date"].isoformat()}
        case Record(name="TimeOfDateConstraint"):
            times = constraint.fields["start_time"], constraint.fields["end_time"]
            if any(t.second or t.microsecond for t in times):
                sys.exit(f"a time with seconds: {times}")
            return {"between": [t.strftime("%H:%M") for t in times]}
    sys.exit(f"an unknown condition {constraint.name}")


def prices(record):
    out, other = {}, set()
    for key, price in record.fields.items():
        if price is None or key in PARTS or key in TOOLS:
            continue
        if key in RATES:
            out[RATES[key]] = rate(price)
        elif key in OTHER:
            other.add(key)
        else:
            sys.exit(f"an unknown unit {key}; say in this file what it is to us")
    out = {key: out[key] for key in RATES.values() if key in out}
    return out | ({"other": sorted(other)} if other else {})


def model(record):
    out = {"id": record.fields["id"]}
    match = matcher(record.fields["match"])
    if match != [out["id"].lower()]:
        out["match"] = match
    listed = record.get("prices", [])
    if isinstance(listed, Record):
        out["prices"] = [prices(listed)]
    else:
        out["prices"] = [condition(p.get("constraint")) | prices(p.fields["prices"]) for p in listed]
    variants = [
        {"when": v.fields["when"]} | condition(v.get("constraint")) | prices(v.fields["prices"])
        for v in record.get("price_variants", [])
    ]
    # Variants that change nothing of what is counted here say nothing.
    variants = [v for v in variants if v.keys() - {"when", "from", "between"}]
    if variants:
        out["variants"] = variants
    return out


def provider(record):
    out = {"id": record.fields["id"]}
    if clause := record.get("provider_match"):
        out["names"] = matcher(clause)
    if clause := record.get("model_match"):
        out["owns"] = matcher(clause)
    if fallback := record.get("fallback_model_providers"):
        out["fallback"] = fallback
    return out, [model(m) for m in record.get("models", [])]


def dump(v):
    return json.dumps(v, ensure_ascii=False, separators=(",", ":"))


def write(source, version, sha256, to):
    head = {
        "as_of": AS_OF,
        "source": f"genai-prices {version}, sha256 {sha256}",
        "license": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present; see LICENSE.genai-prices",
    }
    lines = [dump(head)[:-1] + ',"providers":[']
    listed = providers(source)
    for i, record in enumerate(listed):
        about, models = provider(record)
        lines.append(dump(about)[:-1] + ',"models":[')
        lines += [dump(m) + ("," if j < len(models) - 1 else "") for j, m in enumerate(models)]
        lines.append("]}" + ("," if i < len(listed) - 1 else ""))
    lines.append("]}")
    to.write_text("\n".join(lines) + "\n", encoding="utf-8")


def download(to):
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps",
         "--only-binary", ":all:", "--require-hashes", "-r", HERE / "requirements.txt", "-d", to],
        check=True,
    )
    (wheel,) = pathlib.Path(to).glob("*.whl")
    return wheel


def main():
    pin = re.search(r"genai-prices==(\S+) --hash=sha256:([0-9a-f]{64})", (HERE / "requirements.txt").read_text())
    with tempfile.TemporaryDirectory() as directory:
        wheel = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else download(directory)
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if sha256 != pin[2]:
            sys.exit(f"{wheel} has the sha256 {sha256}, and requirements.txt says {pin[2]}")
        with zipfile.ZipFile(wheel) as z:
            source = z.read("genai_prices/data.py").decode()
            licence = z.read(f"genai_prices-{pin[1]}.dist-info/licenses/LICENSE")
    write(source, pin[1], sha256, HERE.parent / "prices.json")
    (HERE.parent / "LICENSE.genai-prices").write_bytes(licence)


main()

"""Does with the real DSPy what package dspyconform does with whet.

Reads one request a line from stdin and answers each with one line on stdout, both
JSON. A case describes a signature, demos, inputs and replies; the answer holds what
DSPy makes of them. Values travel so that nothing of their Python type is lost: see
build and canon.
"""

import datetime as dt
import enum
import io
import json
import logging
import math
import os
import sys
import tempfile
import typing
import warnings

import pydantic

import dspy
from dspy.adapters.types.tool import ToolCalls
from dspy.adapters.utils import get_annotation_name

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

PLAIN = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "datetime": dt.datetime,
    "any": typing.Any,
    "none": type(None),
    "list": list,
    "set": set,
    "tuple": tuple,
    "dict": dict,
    "Reasoning": dspy.Reasoning,
    "Code": dspy.Code,
    "History": dspy.History,
    "Image": dspy.Image,
    "Audio": dspy.Audio,
    "File": dspy.File,
    "Tool": dspy.Tool,
    "ToolCalls": ToolCalls,
}


class Case:
    """Holds the classes that a case names, so that each is made once."""

    def __init__(self):
        self.classes = {}

    def type(self, spec):
        if isinstance(spec, str):
            return PLAIN[spec]
        ((kind, arg),) = spec.items()
        if kind == "list":
            return list[self.type(arg)]
        if kind == "set":
            return set[self.type(arg)]
        if kind == "tuple":
            return tuple[tuple(self.type(a) for a in arg)]
        if kind == "tuple_of":
            return tuple[self.type(arg), ...]
        if kind == "dict":
            return dict[self.type(arg[0]), self.type(arg[1])]
        if kind == "optional":
            return typing.Optional[self.type(arg)]
        if kind == "union":
            return typing.Union[tuple(self.type(a) for a in arg)]
        if kind == "literal":
            return typing.Literal[tuple(arg)]
        if kind == "code":
            if arg not in self.classes:
                self.classes[arg] = dspy.Code[arg]
            return self.classes[arg]
        if kind == "enum":
            name = arg["name"]
            if name not in self.classes:
                self.classes[name] = enum.Enum(name, [tuple(m) for m in arg["members"]])
            return self.classes[name]
        if kind == "model":
            return self.model(arg)
        raise ValueError(f"no type is called {kind}")

    def model(self, spec):
        name = spec["name"]
        if name not in self.classes:
            fields = {}
            for f in spec["fields"]:
                type_, extra = self.type(f["type"]), dict(f["constraints"])
                if f["desc"]:
                    extra["description"] = f["desc"]
                if "default" in f:
                    extra["default"] = self.build(f["default"])
                fields[f["name"]] = (type_, pydantic.Field(**extra))
            doc = spec["doc"] or None
            self.classes[name] = pydantic.create_model(name, __doc__=doc, __module__="__main__", **fields)
        return self.classes[name]

    def build(self, w):
        """Makes the Python value that a value on the wire stands for."""
        if isinstance(w, list):
            return [self.build(x) for x in w]
        if not isinstance(w, dict):
            return w
        ((kind, arg),) = w.items()
        if kind == "$dict":
            return {self.build(k): self.build(v) for k, v in arg}
        if kind == "$set":
            return {self.build(x) for x in arg}
        if kind == "$tuple":
            return tuple(self.build(x) for x in arg)
        if kind == "$time":
            return dt.datetime.fromisoformat(arg)
        if kind == "$enum":
            return self.classes[arg[0]](arg[1])
        if kind == "$model":
            return self.classes[arg[0]](**{k: self.build(v) for k, v in arg[1]})
        if kind == "$history":
            return dspy.History(messages=[self.build(m) for m in arg])
        if kind == "$tool":
            return dspy.Tool(
                lambda: None, name=arg["name"], desc=arg["desc"], args=self.build(arg["args"]), arg_types={}
            )
        if kind == "$calls":
            return ToolCalls.from_dict_list([{"name": n, "args": self.build(a)} for n, a in arg])
        if kind == "$image":
            return dspy.Image(url=arg)
        if kind == "$audio":
            return dspy.Audio(data=arg[0], audio_format=arg[1])
        if kind == "$file":
            return dspy.File(**arg)
        if kind == "$code":
            return dspy.Code(code=arg)
        if kind == "$reasoning":
            return dspy.Reasoning(content=arg)
        raise ValueError(f"no value is called {kind}")

    def field(self, f, as_input):
        kwargs = dict(f["constraints"])
        if f["desc"]:
            kwargs["desc"] = f["desc"]
        if "default" in f:
            kwargs["default"] = self.build(f["default"])
        return (dspy.InputField if as_input else dspy.OutputField)(**kwargs)

    def signature(self, spec):
        if "text" in spec:
            return dspy.Signature(spec["text"], spec["instructions"])
        fields = {}
        for side in ("inputs", "outputs"):
            for f in spec[side]:
                fields[f["name"]] = (self.type(f["type"]), self.field(f, side == "inputs"))
        return dspy.Signature(fields, spec["instructions"])

    def edit(self, sig, e):
        op = e["op"]
        if op == "with_instructions":
            return sig.with_instructions(e["text"])
        if op == "append_instructions":
            return sig.append_instructions(e["text"])
        if op == "delete":
            return sig.delete(e["name"])
        if op == "describe":
            return sig.with_updated_fields(e["name"], desc=e["text"])
        f = e["field"]
        type_, field = self.type(f["type"]), self.field(f, e["input"])
        if op == "prepend":
            return sig.prepend(f["name"], field, type_)
        if op == "append":
            return sig.append(f["name"], field, type_)
        return sig.insert(e["index"], f["name"], field, type_)


def canon(v):
    """Writes a value of Python so that Go can compare it with its own."""
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, enum.Enum):
        return canon(v.value)
    if isinstance(v, int):
        return v if -(2**63) <= v < 2**63 else {"$int": str(v)}
    if isinstance(v, float):
        return v if math.isfinite(v) else {"$float": str(v)}
    if isinstance(v, str):
        try:
            v.encode()
        except UnicodeEncodeError:
            return {"$surrogates": ascii(v)}
        return v
    if isinstance(v, dt.datetime):
        return {"$time": v.isoformat(), "naive": v.tzinfo is None}
    if isinstance(v, (set, frozenset)):
        return {"$set": sorted((canon(x) for x in v), key=lambda x: json.dumps(x, sort_keys=True))}
    if isinstance(v, (list, tuple)):
        return [canon(x) for x in v]
    if isinstance(v, dict):
        return {"$dict": [[key(k), canon(x)] for k, x in v.items()]}
    if isinstance(v, dspy.Code):
        return v.code
    if isinstance(v, dspy.Reasoning):
        return v.content
    if isinstance(v, ToolCalls):
        return canon({"tool_calls": [{"name": c.name, "args": c.args} for c in v.tool_calls]})
    if isinstance(v, pydantic.BaseModel):
        return canon({name: getattr(v, name) for name in type(v).model_fields})
    return {"$other": repr(v)}


def key(k):
    if isinstance(k, enum.Enum):
        k = k.value
    return k if isinstance(k, str) else str(k)


def attempt(fn, *args):
    """Returns what a function returns, or its error."""
    try:
        return {"ok": fn(*args)}
    except Exception as e:
        return {"error": type(e).__name__, "text": str(e)[:300]}


def describe(sig):
    def fields(fs):
        return [
            {
                "name": k,
                "type": get_annotation_name(f.annotation),
                "desc": f.json_schema_extra["desc"],
                "prefix": f.json_schema_extra["prefix"],
                "constraints": f.json_schema_extra.get("constraints", ""),
            }
            for k, f in fs.items()
        ]

    return {
        "instructions": sig.instructions,
        "inputs": fields(sig.input_fields),
        "outputs": fields(sig.output_fields),
    }


class StructuredLM:
    """Is all that JSONAdapter asks of a language model before it asks for an object."""

    supported_params = {"response_format"}
    supports_response_schema = True


def response_format(sig):
    kwargs = {}
    json_adapter._prepare_response_format(StructuredLM(), kwargs, sig)
    made = kwargs["response_format"]
    return made if isinstance(made, dict) else made.model_json_schema()


def predictor(sig, cot):
    program = dspy.ChainOfThought(sig) if cot else dspy.Predict(sig)
    return program, program.predict if cot else program


def save(program):
    path = os.path.join(directory, "program.json")
    program.save(path)
    with open(path, encoding="utf-8") as f:
        return f.read()


def load(sig, cot, text, inputs):
    path = os.path.join(directory, "loaded.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    program, p = predictor(sig, cot)
    program.load(path)
    p = program.predict if cot else program
    state = json.loads(save(program))
    state.pop("metadata")
    return {"state": state, "messages": chat.format(p.signature, p.demos, inputs)}


def run(ask):
    case = Case()
    made = attempt(case.signature, ask["signature"])
    if "error" in made:
        return {"signature": made}
    sig = made["ok"]
    for i, e in enumerate(ask["edits"]):
        made = attempt(case.edit, sig, e)
        if "error" in made:
            return {"signature": {**made, "edit": i}}
        sig = made["ok"]
    program, p = predictor(sig, ask["cot"])
    sig = p.signature
    demos = [case.build(d) for d in ask["demos"]]
    inputs = case.build(ask["inputs"])
    known[ask["id"]] = (sig if not ask["cot"] else made["ok"], ask["cot"], inputs)
    p.demos = demos
    if ask["lm"]:
        p.lm = dspy.LM(ask["lm"], temperature=0.5, max_tokens=100)
    return {
        "signature": {"ok": describe(sig)},
        "chat": attempt(chat.format, sig, demos, inputs),
        "json": attempt(json_adapter.format, sig, demos, inputs),
        "format": attempt(response_format, sig),
        "chat_replies": [attempt(parse, chat, sig, r) for r in ask["chat_replies"]],
        "json_replies": [attempt(parse, json_adapter, sig, r) for r in ask["json_replies"]],
        "state": attempt(save, program),
    }


def parse(adapter, sig, reply):
    return canon(adapter.parse(sig, reply))


# whet leaves the calling of tools to the program, as DSPy does without native calls.
chat, json_adapter = dspy.ChatAdapter(), dspy.JSONAdapter(use_native_function_calling=False)
known = {}
answers = io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), encoding="utf-8")
sys.stdout = sys.stderr  # what DSPy prints must not come between the answers

with tempfile.TemporaryDirectory() as directory:
    for line in io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="\n"):
        ask = json.loads(line)
        if "load" in ask:
            answer = attempt(load, *known[ask["id"]][:2], ask["load"], known[ask["id"]][2])
        else:
            answer = run(ask)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

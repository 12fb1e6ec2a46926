"""Writes typed.json: the messages that DSPy 3.4.1 renders for the types of golden_test.go.

Run: pip install dspy==3.4.1 && python typed.py > typed.json
"""

import json
from datetime import datetime, timezone
from typing import Literal, Optional

import dspy
from pydantic import BaseModel, Field


class Address(BaseModel):
    street_name: str = Field(description="street and number")
    zip2code: Optional[int] = None


class Person(BaseModel):
    name: str
    age: Optional[int] = Field(default=None, description="in years")
    home: Address
    office: Optional[Address] = None
    born: datetime
    kind: Literal["a", "b's"]
    tags: list[str]


class Extract(dspy.Signature):
    """Extract people.
   \t
    Be careful:
    \tnothing invented."""

    doc: str = dspy.InputField(desc="the document")
    hints: list[str] = dspy.InputField()
    when: datetime = dspy.InputField()
    maybe: Optional[str] = dspy.InputField()
    n: int = dspy.InputField()
    people: list[Person] = dspy.OutputField(desc="people found")
    main: Person = dspy.OutputField()
    ok: bool = dspy.OutputField()
    score: float = dspy.OutputField()
    at: datetime = dspy.OutputField()
    opt: Optional[str] = dspy.OutputField()
    pick: Optional[Literal["x", "y"]] = dspy.OutputField()
    nums: list[float] = dspy.OutputField()
    grid: list[list[int]] = dspy.OutputField()


ann = Person(
    name='Ann "é" \u2028 \x01\\u2028', age=5, home=Address(street_name="High St 1\n<b>"),
    born=datetime(2001, 2, 3, 4, 5, 6, tzinfo=timezone.utc), kind="b's", tags=[],
)
bob = Person(
    name="Bob", home=Address(street_name="", zip2code=7), office=Address(street_name="x"),
    born=datetime(2001, 2, 3, 4, 5, 6, 120000, tzinfo=timezone.utc), kind="a", tags=["t"],
)
demos = [
    dict(doc="  Ann is 5 \n", hints=["a", "b"], when=datetime(2024, 1, 1, tzinfo=timezone.utc), maybe="m", n=-3,
         people=[ann, bob], main=ann, ok=True, score=0.5, at=datetime(2024, 1, 1, 1, 1, 1, 500, tzinfo=timezone.utc),
         opt="x", pick="y", nums=[1.0, 1e16, 1e-05, 0.1], grid=[[1, 2], []]),
    dict(doc="partial", hints=[], maybe=None, people=[], ok=False, score=3.0, opt=None, pick=None, grid=[]),
]
inputs = dict(doc="Bob\t7 \x1f\n", hints=["one", "two\nlines"], when=datetime(2024, 2, 29, tzinfo=timezone.utc),
              maybe="ends with space  ", n=10**12)

messages = []
for kw in (inputs, {k: v for k, v in inputs.items() if k != "n"}, {}):
    messages.append(dspy.ChatAdapter().format(Extract, [dict(d) for d in demos], dict(kw)))


def plain(v):
    if isinstance(v, BaseModel):
        return json.loads(v.model_dump_json())
    if isinstance(v, datetime):
        return v.isoformat()
    if isinstance(v, list):
        return [plain(x) for x in v]
    return v


print(json.dumps({
    "dspy_version": dspy.__version__,
    "demos": [{k: plain(v) for k, v in d.items()} for d in demos],
    "inputs": {k: plain(v) for k, v in inputs.items()},
    "messages": messages,
}, ensure_ascii=False, indent=1))

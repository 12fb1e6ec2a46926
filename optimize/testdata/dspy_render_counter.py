"""Loads the program of TestCounterExamples that Go saved into the real DSPy and prints the
messages that DSPy would send. Arguments: the file, and the text that is asked."""

import json
import sys

import dspy

predict = dspy.Predict("text -> label")
predict.load(sys.argv[1])
messages = dspy.ChatAdapter().format(predict.signature, predict.demos, {"text": sys.argv[2]})
json.dump(messages, sys.stdout)

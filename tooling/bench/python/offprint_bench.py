"""Serves timed work to the benchmark harness: one line of JSON in, one line of JSON out.

A request is {"case": name, "args": [...], "loops": n}; the answer is {"seconds": of one call} or {"error": text}.
"""

import json
import sys
from time import perf_counter


def serve(cases):
    """Answers requests until standard input ends.

    `cases` maps a name to a function that takes the request's arguments, prepares the data and returns
    the function to be timed; it is called once for each distinct list of arguments.
    """
    prepared = {}
    _answer({"ready": True})
    for line in sys.stdin:
        try:
            _answer({"seconds": _time(cases, prepared, json.loads(line))})
        except Exception as reason:
            _answer({"error": f"{type(reason).__name__}: {reason}"})


def _time(cases, prepared, request):
    key = json.dumps([request["case"], request["args"]])
    if key not in prepared:
        prepared[key] = cases[request["case"]](*request["args"])
    run = prepared[key]
    loops = request["loops"]
    start = perf_counter()
    for _ in range(loops):
        run()
    return (perf_counter() - start) / loops


def _answer(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()

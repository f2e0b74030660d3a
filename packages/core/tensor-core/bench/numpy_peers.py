"""NumPy doing what host-kernels.bench.ts times."""

import numpy
from offprint_bench import serve


def matmul(size, dtype):
    rng = numpy.random.default_rng(1)
    a = rng.standard_normal((size, size)).astype(dtype)
    b = rng.standard_normal((size, size)).astype(dtype)
    return lambda: numpy.matmul(a, b)


def add(size):
    a, b = numpy.random.default_rng(2).standard_normal((2, size))
    return lambda: numpy.add(a, b)


def exp(size):
    a = numpy.random.default_rng(3).standard_normal(size)
    return lambda: numpy.exp(a)


serve({"matmul": matmul, "add": add, "exp": exp})

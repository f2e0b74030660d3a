"""NumPy's pocketfft doing what fft.bench.ts times."""

import numpy
from offprint_bench import serve


def transform(name, size, axes, dtype="float64"):
    x = numpy.random.default_rng(1).standard_normal((size, size, size)).astype(dtype)
    axes = tuple(axes)
    if name == "irfftn":
        spectrum = numpy.fft.rfftn(x, axes=axes)
        return lambda: numpy.fft.irfftn(spectrum, axes=axes)
    if name == "fftn":
        y = x + 1j * numpy.random.default_rng(2).standard_normal(x.shape)
        return lambda: numpy.fft.fftn(y, axes=axes)
    return lambda: numpy.fft.rfftn(x, axes=axes)


serve({"transform": transform})

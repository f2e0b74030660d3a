"""Preconditioned descent of u - Laplacian u + u^3 = f on a grid, by NumPy's real FFTs."""

import numpy as np
from offprint_bench import serve


def descend(data):
    n, d = data["points"], data["dimension"]
    axes = np.meshgrid(*[np.arange(n) / n] * d, indexing="ij")
    f = sum(
        term["a"] * np.cos(2 * np.pi * sum(k * x for k, x in zip(term["k"], axes)))
        for term in data["terms"]
    )
    frequencies = [np.fft.fftfreq(n, 1 / n)] * (d - 1) + [np.fft.rfftfreq(n, 1 / n)]
    symbol = 1 + sum((2 * np.pi * k) ** 2 for k in np.meshgrid(*frequencies, indexing="ij"))
    right = np.fft.rfftn(f)

    def run():
        u = np.zeros_like(right)
        for _ in range(data["iterations"]):
            values = np.fft.irfftn(u, s=f.shape, axes=range(d))
            u = u - 0.5 * (u + (np.fft.rfftn(values**3) - right) / symbol)
        return u

    return run


serve({"descend": descend})

"""SciPy on the problems of scipy.bench.ts, at the loosest tolerance (in steps of the root of ten) that reaches the error."""
import numpy as np
from offprint_bench import serve
from scipy.integrate import solve_ivp

MU = 0.012277471
BEYOND = 1 - MU


def lorenz(t, y):
    return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]


def arenstorf(t, y):
    a, b, u, v = y
    d1 = ((a + MU) ** 2 + b**2) ** 1.5
    d2 = ((a - BEYOND) ** 2 + b**2) ** 1.5
    return [u, v, a + 2 * v - BEYOND * (a + MU) / d1 - MU * (a - BEYOND) / d2, b - 2 * u - BEYOND * b / d1 - MU * b / d2]


def brusselator(t, y):
    n = len(y) // 2
    k = 0.02 * (n + 1) ** 2
    u, v = y[:n], y[n:]
    rate = np.empty_like(y)
    reaction = u * u * v
    rate[:n] = 1 + reaction - 4 * u - 2 * k * u
    rate[n:] = 3 * u - reaction - 2 * k * v
    rate[: n - 1] += k * u[1:]
    rate[1:n] += k * u[:-1]
    rate[n:-1] += k * v[1:]
    rate[n + 1 :] += k * v[:-1]
    rate[0] += k
    rate[n - 1] += k
    rate[n] += 3 * k
    rate[-1] += 3 * k
    return rate


def solver(f):
    def prepare(case):
        y0, end = np.array(case["y0"]), np.array(case["end"])

        def run(tolerance):
            return solve_ivp(f, [0, case["t1"]], y0, method=case["method"], rtol=tolerance, atol=tolerance)

        tolerance = 1e-3
        while np.max(np.abs(run(tolerance).y[:, -1] - end)) > case["error"]:
            tolerance /= 10**0.5
        return lambda: run(tolerance)

    return prepare


serve({"lorenz": solver(lorenz), "arenstorf": solver(arenstorf), "brusselator": solver(brusselator)})

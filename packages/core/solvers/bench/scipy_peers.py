"""SciPy on the problems of scipy.bench.ts: a case gets the problem's data and returns the solver as a function."""
import numpy as np
from offprint_bench import serve
from scipy.optimize import least_squares, minimize, root


def decay(problem):
    t, y = np.array(problem["t"]), np.array(problem["y"])
    residuals = lambda x: x[0] * np.exp(-x[1] * t) + x[2] - y
    return lambda: least_squares(residuals, problem["initial"], method="lm", ftol=1e-12, xtol=1e-12, gtol=1e-8)


def decays(problem):
    """A curve fit for each row of y, one after the other: SciPy takes no batches."""
    t, rows = np.array(problem["t"]), np.array(problem["y"])

    def fit():
        for y in rows:
            least_squares(lambda x: x[0] * np.exp(-x[1] * t) + x[2] - y, problem["initial"], method="lm", ftol=1e-12, xtol=1e-12, gtol=1e-8)

    return fit


def broyden(size):
    def tridiagonal(x):
        left, right = np.concatenate([[0], x[:-1]]), np.concatenate([x[1:], [0]])
        return (3 - 2 * x) * x - left - 2 * right + 1

    start = np.full(size, -1.0)
    return lambda: root(tridiagonal, start, method="hybr")


def rosenbrock(size):
    def f(x):
        t = x[1:] - x[:-1] ** 2
        g = np.zeros_like(x)
        g[:-1] = -400 * x[:-1] * t - 2 * (1 - x[:-1])
        g[1:] += 200 * t
        return np.sum(100 * t**2 + (1 - x[:-1]) ** 2), g

    start = np.where(np.arange(size) % 2 == 0, -1.2, 1.0)
    return lambda: minimize(f, start, jac=True, method="L-BFGS-B", options=dict(gtol=1e-8, ftol=0, maxiter=1000))


serve({"decay": decay, "decays": decays, "broyden": broyden, "rosenbrock": rosenbrock})

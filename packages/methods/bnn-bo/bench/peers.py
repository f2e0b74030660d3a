"""A loop of Bayesian optimisation on scikit-learn, as people write it, for bnn-bo.bench.ts."""
import warnings

import numpy as np
from offprint_bench import serve
from scipy.optimize import minimize
from scipy.stats import norm, qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

warnings.filterwarnings("ignore")


def branin(u):
    a, b = 15 * u[0] - 5, 15 * u[1]
    return (b - 5.1 / (4 * np.pi**2) * a * a + 5 / np.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(a) + 10


def loop(first, steps):
    """One point at a time by expected improvement, 16 raw points of which 2 are improved."""

    def run():
        X = qmc.Sobol(2, seed=0).random(first)
        y = np.array([branin(u) for u in X])
        for k in range(steps):
            kernel = ConstantKernel() * Matern([1 / 3, 1 / 3], nu=2.5) + WhiteKernel(1e-3)
            process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0).fit(X, y)

            def minus(u):
                m, s = process.predict(u.reshape(-1, 2), return_std=True)
                z = (y.min() - m) / np.maximum(s, 1e-9)
                return -(s * (z * norm.cdf(z) + norm.pdf(z)))

            raw = qmc.Sobol(2, seed=k + 1).random(16)
            starts = raw[np.argsort(minus(raw))[:2]]
            found = [minimize(lambda u: minus(u)[0], u, bounds=[(0, 1)] * 2, options={"maxiter": 10}) for u in starts]
            best = min(found, key=lambda f: f.fun).x
            X, y = np.vstack([X, best]), np.append(y, branin(best))
        return y.min()

    return run


serve({"loop": loop})

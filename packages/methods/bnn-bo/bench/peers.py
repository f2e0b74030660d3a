"""For bnn-bo.bench.ts: a loop of Bayesian optimisation on scikit-learn, and Hamiltonian Monte Carlo in PyTorch, as people write them."""
import warnings

import numpy as np
import torch
from offprint_bench import serve
from scipy.optimize import minimize
from scipy.stats import norm, qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


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


def paths(case):
    """Leapfrog paths through the weights of a network, gradients by autograd."""
    x, y = (torch.tensor(case[name], dtype=torch.float64) for name in ("x", "y"))
    sizes = [x.shape[1], 128, 128, 128, 1]
    step = case["stepSize"]

    def energy(weights):
        h = x
        for i in range(0, len(weights), 2):
            h = h @ weights[i] + weights[i + 1]
            if i + 2 < len(weights):
                h = torch.tanh(h)
        prior = sum((w * w).sum() for w in weights)
        return 0.5 * (((y - h[:, 0]) ** 2).sum() / 0.1 + prior)

    def slope(weights):
        return torch.autograd.grad(energy(weights), weights)

    def run():
        torch.manual_seed(0)
        weights = []
        for a, b in zip(sizes, sizes[1:]):
            for shape in ((a, b), (b,)):
                weights.append(torch.empty(shape, dtype=torch.float64).uniform_(-1, 1) / a**0.5)
        weights = [w.requires_grad_() for w in weights]
        for _ in range(case["samples"]):
            momenta = [torch.randn_like(w) for w in weights]
            before = energy(weights) + 0.5 * sum((p * p).sum() for p in momenta)
            now = [w.detach().clone().requires_grad_() for w in weights]
            momenta = [p - 0.5 * step * g for p, g in zip(momenta, slope(now))]
            for k in range(case["leapfrogs"]):
                with torch.no_grad():
                    for w, p in zip(now, momenta):
                        w += step * p
                size = step if k + 1 < case["leapfrogs"] else 0.5 * step
                momenta = [p - size * g for p, g in zip(momenta, slope(now))]
            after = energy(now) + 0.5 * sum((p * p).sum() for p in momenta)
            if torch.rand(()) < torch.exp(before - after):
                weights = now
        return float(energy(weights))

    return run


serve({"loop": loop, "paths": paths})

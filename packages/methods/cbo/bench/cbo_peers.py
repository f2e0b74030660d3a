"""CBO in NumPy as CBXpy does it (runs, particles and coordinates are axes of one array), SciPy's global optimizers, and
training on batches of data and particles in NumPy.

With the argument "success" it prints how often each finds the minimiser of Rastrigin's function in ten dimensions, with
"fit" what differential evolution does on the fit of a damped sine, as JSON.
"""

import json
import sys

import numpy as np

CLOSE = 0.25
LOW, HIGH = -4.0, 8.0


def rastrigin(x):
    return np.sum(x**2 + 2.5 * (1 - np.cos(2 * np.pi * x)), axis=-1)


def canyon(v):
    x, y = v[..., 0], v[..., 1]
    val = y - ((x - 1) * (x - 4) ** 2 / 8 + 2)
    blk = -x - 1.6 * y
    walls = 25 * (1 - np.exp(-1.4 * val**2 * np.exp(-0.002 * x**4)))
    bumps = 0.25 * (2 - np.cos(0.75 * np.pi * x) - np.cos(0.75 * np.pi * y))
    return walls + 0.4 * x**2 + 0.2 * y**2 + bumps + 4 * np.exp(1 - 2 * val**4) * np.maximum(
        (1 - np.exp(-9 * blk**2)) * np.sign(blk), 0
    )


class Swarm:
    """Independent runs of CBO: consensus, drift, noise, and the best particle so far, in every step."""

    def __init__(self, f, shape, alpha, sigma, anisotropic, mean, std, dt=0.01, lam=1.0, seed=0):
        self.f, self.alpha, self.sigma, self.anisotropic, self.dt, self.lam = f, alpha, sigma, anisotropic, dt, lam
        self.rng = np.random.default_rng(seed)
        self.x = mean + std * self.rng.standard_normal(shape)
        self.best = np.full(shape[0], np.inf)
        self.best_x = self.x[:, 0].copy()

    def consensus(self):
        energy = self.f(self.x)
        place = energy.argmin(axis=1)
        runs = np.arange(len(place))
        least = energy[runs, place]
        better = least < self.best
        self.best = np.where(better, least, self.best)
        self.best_x[better] = self.x[runs, place][better]
        weights = np.exp(-self.alpha * (energy - least[:, None]))
        return np.einsum("rn,rnd->rd", weights, self.x) / weights.sum(axis=1, keepdims=True)

    def run(self, steps):
        m = self.consensus()
        for _ in range(steps):
            u = self.x - m[:, None]
            noise = self.rng.standard_normal(self.x.shape)
            size = u if self.anisotropic else np.linalg.norm(u, axis=-1, keepdims=True)
            self.x = self.x - self.lam * self.dt * u + self.sigma * np.sqrt(self.dt) * size * noise
            m = self.consensus()
        return m


def on_canyon(runs):
    return lambda: Swarm(canyon, (runs, 200, 2), 100, 1.6, False, 8.0, 0.5).run(250)


def on_rastrigin(runs, n, d, steps):
    return lambda: Swarm(rastrigin, (runs, n, d), 100, 4.0, True, 2.0, 2.0).run(steps)


def evolution(d, evaluations, seed=0):
    from scipy.optimize import differential_evolution

    members = 20 * d
    options = {"maxiter": evaluations // members - 1, "popsize": 20, "tol": 0, "atol": 0, "polish": False}
    vectorised = {"vectorized": True, "updating": "deferred"}
    bounds = [(LOW, HIGH)] * d
    return lambda: differential_evolution(lambda x: rastrigin(x.T), bounds, seed=seed, **options, **vectorised)


def annealing(d, evaluations, seed=0):
    from scipy.optimize import dual_annealing

    return lambda: dual_annealing(rastrigin, [(LOW, HIGH)] * d, maxfun=evaluations, maxiter=10**6, seed=seed)


def training(n, batch, samples, features, classes, size, epochs):
    """Epochs of softmax regression, float32, anisotropic noise, every consensus moves all particles."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((samples, features), dtype=np.float32)
    targets = rng.integers(0, classes, samples)
    x = rng.standard_normal((n, (features + 1) * classes), dtype=np.float32)
    dt, lam, sigma, alpha = np.float32(0.1), np.float32(1), np.float32(0.4**0.5), np.float32(50)

    def epoch():
        nonlocal x
        order = rng.permutation(samples)
        for start in range(0, samples, size):
            own = order[start : start + size]
            data, labels = inputs[own], targets[own]
            shuffled = rng.permutation(n)
            for b in range(0, n, batch):
                v = x[shuffled[b : b + batch]]
                bias, weights = v[:, :classes], v[:, classes:].reshape(batch, features, classes)
                scores = np.matmul(data, weights) + bias[:, None]
                scores -= scores.max(axis=2, keepdims=True)
                scores -= np.log(np.exp(scores).sum(axis=2, keepdims=True))
                energy = -scores[:, np.arange(len(own)), labels].mean(axis=1)
                w = np.exp(-alpha * (energy - energy.min()))
                m = (w @ v) / w.sum()
                u = x - m
                x = m + (1 - lam * dt) * u + sigma * np.sqrt(dt) * np.abs(u) * rng.standard_normal(x.shape, dtype=np.float32)

    return lambda: [epoch() for _ in range(epochs)]


def success(d, n, steps, runs):
    evaluations = n * (steps + 1)
    found = Swarm(rastrigin, (runs, n, d), 100, 4.0, True, 2.0, 2.0, seed=1).run(steps)
    rate = lambda points: float(np.mean([np.all(np.abs(p) <= CLOSE) for p in points]))
    return {
        "numpy CBO": rate(found),
        "scipy differential_evolution": rate([evolution(d, evaluations, seed)().x for seed in range(min(runs, 5))]),
        "scipy dual_annealing": rate([annealing(d, evaluations, seed)().x for seed in range(min(runs, 2))]),
    }


def fit(runs):
    """A damped sine with four parameters in a box, through sixty noisy points."""
    from scipy.optimize import differential_evolution

    t = np.linspace(0, 10, 60)
    curve = lambda p: p[0] * np.exp(-p[1] * t) * np.sin(p[2] * t + p[3])
    y = curve([2.0, 0.3, 2.5, 0.7]) + 0.05 * np.random.default_rng(0).standard_normal(60)
    bounds = [(0.0, 10.0), (0.0, 5.0), (0.0, 10.0), (0.0, 2 * np.pi)]
    found = [differential_evolution(lambda p: np.sum((curve(p) - y) ** 2), bounds, seed=seed) for seed in range(runs)]
    minimum = min(run.fun for run in found)
    return {
        "evaluations": float(np.mean([run.nfev for run in found])),
        "found": int(sum(run.fun < 1.001 * minimum for run in found)),
        "minimum": float(minimum),
        "points": y.tolist(),
        "bounds": bounds,
    }


if sys.argv[1:2] == ["fit"]:
    print(json.dumps(fit(int(sys.argv[2]))))
elif sys.argv[1:2] == ["success"]:
    print(json.dumps(success(*map(int, sys.argv[2:]))))
else:
    from offprint_bench import serve

    serve(
        {
            "canyon": on_canyon,
            "rastrigin": on_rastrigin,
            "evolution": evolution,
            "annealing": annealing,
            "training": training,
        }
    )

"""scikit-learn's process as the authors use it, and FZooS in NumPy, on the problems of fzoos.bench.ts."""
import warnings

import numpy as np
from offprint_bench import serve
from scipy.linalg import cho_factor, cho_solve

warnings.filterwarnings("ignore")


def gradient(n, d):
    """20 restarts for the length scale and differences of the posterior mean, as in the official code."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern

    rng = np.random.default_rng(0)
    z = rng.uniform(0.3, 0.7, d)
    x = z + rng.uniform(-0.05, 0.05, (n, d))
    y = (x**2).sum(1)

    def run():
        process = GaussianProcessRegressor(Matern(nu=2.5), alpha=1e-6, n_restarts_optimizer=20, random_state=0)
        process.fit(x, (y - y.min()) / (y.max() - y.min()))
        steps = np.eye(d) * 1e-5
        means = process.predict(np.vstack([z + steps, z - steps]))
        return (means[:d] - means[d:]) / 2e-5

    return run


def matern(r2):
    s = np.sqrt(5 * r2)
    return (1 + s + s * s / 3) * np.exp(-s)


def slope(r2):
    s = np.sqrt(5 * r2)
    return -5 / 6 * (1 + s) * np.exp(-s)


def distances(a, b):
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0)


def rounds(d, clients, steps, count, most_local, most_features):
    """FZooS with fixed length scales and closed forms."""
    features, noise = 1000, 1e-6
    setup = np.random.default_rng(1)
    shares = [setup.dirichlet(np.full(clients, 1 / clients), d) for _ in range(2)]
    c1, c2 = (1 + 5 * (share - 1 / clients) for share in shares)
    start = setup.uniform(0, 1, d)

    def value(i, x):
        u = 20 * np.clip(x, 0, 1) - 10
        return 0.1 / d * (c1[:, i] @ u**2 + c2[:, i] @ u + 1)

    def run():
        rng = np.random.default_rng(0)
        V, b = rng.normal(size=(features, d)), rng.uniform(0, 2 * np.pi, features)
        X = [[] for _ in range(clients)]
        Y = [[] for _ in range(clients)]

        def ask(i, x):
            X[i].append(x)
            Y[i].append(value(i, x))

        def near(i, z, most):
            x, y = np.array(X[i]), np.array(Y[i])
            if len(y) > most:
                kept = np.argpartition(((x - z) ** 2).sum(1), most)[:most]
                x, y = x[kept], y[kept]
            scale = y.max() - y.min()
            return x, (y - y.min()) / (scale + 1e-20), scale

        def active(i, z, radius, candidates, n):
            x, _, _ = near(i, z, most_local)
            C = z + rng.uniform(-radius, radius, (candidates, d))
            K = np.linalg.inv(matern(distances(x - z, x - z)) + noise * np.eye(len(x)))
            a = 2 * slope(distances(C - z, x - z))
            e, G, P = C - z, (x - z) @ (x - z).T, (C - z) @ (x - z).T
            solved = a @ K
            known = (e**2).sum(1) * (solved * a).sum(1) - 2 * (solved * a * P).sum(1) + ((a @ (K * G)) * a).sum(1)
            for j in np.argsort(known)[:n]:
                ask(i, C[j])

        x, weights, own = start, None, None
        for i in range(clients):
            for point in x + rng.uniform(-0.01, 0.01, (10, d)):
                ask(i, point)
        for _ in range(count):
            ends = []
            for i in range(clients):
                z, m, v = x, 0, 0
                ask(i, z)
                for t in range(steps):
                    points, targets, scale = near(i, z, most_local)
                    D = points - z
                    K = matern(distances(D, D)) + noise * np.eye(len(targets))
                    alpha = cho_solve(cho_factor(K), targets)
                    g = -scale * (alpha * 2 * slope((D**2).sum(1))) @ D
                    if weights is not None:
                        w = weights - own[i]
                        g = g - np.sqrt(2 / features) * V.T @ (w * np.sin(V @ z + b))
                    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
                    z = z - 0.01 * m / (1 - 0.9 ** (t + 1)) / (np.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8)
                    ask(i, z)
                    if t < steps - 1:
                        active(i, z, 0.01, 20, 5)
                ends.append(z)
            new = np.mean(ends, 0)
            if np.mean([value(i, new) for i in range(clients)]) < np.mean([value(i, x) for i in range(clients)]):
                x = new
            own = []
            for i in range(clients):
                ask(i, x)
                active(i, x, np.abs(x - ends[i]).mean() / 2, 50, 25)
                points, targets, scale = near(i, x, most_features)
                phi = np.sqrt(2 / features) * np.cos(points @ V.T + b)
                K = phi @ phi.T + noise * np.eye(len(targets))
                own.append(scale * cho_solve(cho_factor(K), targets) @ phi)
            weights = np.mean(own, 0)
        return x

    return run


serve({"gradient": gradient, "rounds": rounds})

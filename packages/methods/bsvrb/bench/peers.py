"""BSVRB on multi-scale logistic regression: sample by sample in NumPy, as the authors' code runs, and batched in PyTorch."""
import numpy as np
import torch
from offprint_bench import serve

torch.set_num_threads(1)
alpha, beta, lam = 0.1, 0.05, 0.01


class Problem:
    def __init__(self, case):
        rng = np.random.default_rng(0)
        self.m, self.sampled, self.batch, self.iterations = (case[k] for k in ("blocks", "sampled", "batch", "iterations"))
        n, p = case["rows"], case["width"]
        part = lambda: (np.hstack([np.ones((n, 1)), rng.normal(size=(n, p))]), rng.choice([-1.0, 1.0], size=n))
        (self.a, self.b), (self.va, self.vb) = part(), part()
        self.n, self.d = n, p + 1
        self.scales = np.linspace(1, 11, self.m)
        self.gamma = (self.m - self.sampled) / (self.sampled * (1 - alpha)) + 1 - alpha

    def draw(self, rng):
        shape = (self.sampled, self.batch)
        return rng.choice(self.m, self.sampled, replace=False), rng.integers(self.n, size=shape), rng.integers(self.n, size=shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def parts_numpy(q, i, rows, above, x, w, v, version):
    """Gradients, product or Hessian, and mixed product of one block, a sample at a time."""
    gy, fy, hv, mixed = (np.zeros(q.d) for _ in range(4))
    mixed = np.zeros(q.n)
    hessian = lam * np.eye(q.d) if version == "v1" else None
    for j in rows:
        a, b, tau = q.a[j], q.b[j], q.scales[i]
        weight, s = sigmoid(x[j]), sigmoid(-b * (w @ a) / tau)
        gy += -weight * s * b / tau * a / len(rows)
        curvature = weight * s * (1 - s) / tau**2 / len(rows)
        if version == "v1":
            hessian += curvature * np.outer(a, a)
        else:
            hv += curvature * a * (a @ v)
    for j in above:
        a, b, tau = q.va[j], q.vb[j], q.scales[i]
        fy += -sigmoid(-b * (w @ a) / tau) * b / tau * a / len(above)
    return gy + lam * w, fy, hv + lam * v, hessian


def mixed_numpy(q, i, rows, x, w, v):
    out = np.zeros(q.n)
    for j in rows:
        a, b, tau = q.a[j], q.b[j], q.scales[i]
        weight = sigmoid(x[j])
        out[j] -= weight * (1 - weight) * sigmoid(-b * (w @ a) / tau) * b / tau * (a @ v) / len(rows)
    return out


def project(h):
    values, vectors = np.linalg.eigh((h + h.T) / 2)
    return (vectors * np.maximum(values, 1e-5)) @ vectors.T


def by_numpy(case, version):
    q = Problem(case)

    def run():
        rng = np.random.default_rng(1)
        x, xp, z = np.zeros(q.n), np.zeros(q.n), np.zeros(q.n)
        y, yp, s = (np.zeros((q.m, q.d)) for _ in range(3))
        v, vp, u = (np.zeros((q.m, q.d)) for _ in range(3))
        h = np.stack([np.eye(q.d)] * q.m) if version == "v1" else None
        hp = h
        for _ in range(q.iterations):
            blocks, rows, above = q.draw(rng)
            g, old = np.zeros(q.n), np.zeros(q.n)
            new_h = h.copy() if version == "v1" else None
            for k, i in enumerate(blocks):
                now = parts_numpy(q, i, rows[k], above[k], x, y[i], v[i], version)
                was = parts_numpy(q, i, rows[k], above[k], xp, yp[i], vp[i], version)
                s[i] = (1 - alpha) * s[i] + alpha * now[0] + q.gamma * (now[0] - was[0])
                if version == "v1":
                    new_h[i] = project((1 - alpha) * h[i] + alpha * now[3] + q.gamma * (now[3] - was[3]))
                    left, right = np.linalg.solve(h[i], now[1]), np.linalg.solve(hp[i], was[1])
                else:
                    left, right = v[i], vp[i]
                    new, before = now[2] - now[1], was[2] - was[1]
                    u[i] = (1 - alpha) * u[i] + alpha * new + q.gamma * (new - before)
                g -= mixed_numpy(q, i, rows[k], x, y[i], left) / q.sampled
                old -= mixed_numpy(q, i, rows[k], xp, yp[i], right) / q.sampled
            z = (1 - beta) * (z - old) + g
            xp, yp, vp, hp = x, y, v, h
            x, y, v, h = x - 1e-3 * z, y - 1e-2 * s, v - 1e-2 * u, new_h

    return run


def by_torch(case, version, tested=False):
    """`tested`: eigenvalues only of matrices that Cholesky's test finds outside, as ours."""
    q = Problem(case)
    a, b, va, vb, scales = (torch.from_numpy(t) for t in (q.a, q.b, q.va, q.vb, q.scales))
    grad = torch.autograd.grad

    def run():
        rng = np.random.default_rng(1)
        x = torch.zeros(q.n, dtype=torch.float64)
        y, s, v, u = (torch.zeros(q.m, q.d, dtype=torch.float64) for _ in range(4))
        h = torch.eye(q.d, dtype=torch.float64).repeat(q.m, 1, 1) if version == "v1" else None
        z, xp, yp, vp, hp = torch.zeros_like(x), x, y, v, h
        for _ in range(q.iterations):
            blocks, rows, above = (torch.from_numpy(t) for t in q.draw(rng))
            tau = scales[blocks][:, None]

            def parts(x, y, v, h):
                x, w = x.detach().requires_grad_(), y[blocks].detach().requires_grad_()
                margins = (a[rows] @ w[:, :, None])[:, :, 0] * b[rows] / tau
                lower = ((torch.sigmoid(x[rows]) * torch.nn.functional.softplus(-margins)).mean(1) + lam / 2 * (w**2).sum(1)).sum()
                fy = grad(torch.nn.functional.softplus(-(va[above] @ w[:, :, None])[:, :, 0] * vb[above] / tau).mean(1).sum(), w)[0]
                slope = grad(lower, w, create_graph=True)[0]
                if version == "v1":
                    with torch.no_grad():
                        p = torch.sigmoid(margins)
                        weights = torch.sigmoid(x[rows]) * p * (1 - p) / tau**2 / q.batch
                        hessian = torch.einsum("kb,kbi,kbj->kij", weights, a[rows], a[rows]) + lam * torch.eye(q.d, dtype=torch.float64)
                        solved = torch.linalg.solve(h[blocks], fy)
                    mixed = grad((slope * solved).sum(), x)[0]
                    return slope.detach(), hessian, -mixed / q.sampled
                mixed, product = grad((slope * v[blocks]).sum(), [x, w])
                return slope.detach(), product - fy, -mixed / q.sampled

            now, was = parts(x, y, v, h), parts(xp, yp, vp, hp)
            xp, yp, vp, hp = x, y, v, h
            msvr = lambda e, new, old: (1 - alpha) * e + alpha * new + q.gamma * (new - old)
            s = s.index_copy(0, blocks, msvr(s[blocks], now[0], was[0]))
            if version == "v1":
                new = msvr(h[blocks], now[1], was[1])
                inside = torch.linalg.cholesky_ex(new - 1e-5 * torch.eye(q.d, dtype=torch.float64))[1] == 0 if tested else None
                if not tested or not inside.all():
                    values, vectors = torch.linalg.eigh(new)
                    new = (vectors * values.clamp(min=1e-5)[:, None, :]) @ vectors.mT
                h = h.index_copy(0, blocks, new)
            else:
                u = u.index_copy(0, blocks, msvr(u[blocks], now[1], was[1]))
            z = (1 - beta) * (z - was[2]) + now[2]
            x, y, v = x - 1e-3 * z, y - 1e-2 * s, v - 1e-2 * u

    return run


serve(
    {
        **{f"{how} {version}": (lambda c, f=f, version=version: f(c, version)) for how, f in (("numpy", by_numpy), ("torch", by_torch)) for version in ("v1", "v2")},
        "torch v1, tested": lambda c: by_torch(c, "v1", True),
    }
)

"""PyTorch and CVXOPT on the problems of lv-hba.bench.ts."""
import numpy as np
import torch
from cvxopt import matrix, solvers, spmatrix
from offprint_bench import serve

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
solvers.options["show_progress"] = False


def toy(case):
    """LV-HBA by autograd, as in the authors' script with the constraint scaled."""
    n, iterations = case["n"], case["iterations"]
    scale = (3 * n) ** 0.5

    def upper(x, y):
        return ((x - y[n:]) ** 2).sum() / 2 + ((y[:n] - 1) ** 2).sum() / 2

    def lower(x, y):
        return (y[:n] ** 2).sum() / 2 - x @ y[:n] + y[n:].sum()

    def constraint(x, y):
        return (x.sum() + y.sum()) / scale

    def run():
        x, y = torch.zeros(n), torch.zeros(2 * n)
        theta, lam, z = y.clone(), torch.zeros(()), torch.zeros(())
        for k in range(iterations):
            c = 2 * (k + 1) ** 0.3
            t = theta.detach().requires_grad_()
            (dt,) = torch.autograd.grad(lower(x, t) + lam * constraint(x, t) + ((t - y) ** 2).sum() / 20, t)
            dl = -constraint(x, theta) + (lam - z) / 10
            theta, lam = theta - 0.1 * dt, lam - 0.1 * dl
            a, b = x.detach().requires_grad_(), y.detach().requires_grad_()
            dx, dy = torch.autograd.grad(upper(a, b) / c + lower(a, b), [a, b])
            a = x.detach().requires_grad_()
            (there,) = torch.autograd.grad(lower(a, theta) + lam * constraint(a, theta), a)
            with torch.no_grad():
                x, y = x - 0.05 * (dx - there), y - 0.05 * (dy - (y - theta) / 10)
                excess = (x.sum() + y.sum()) / (3 * n)
                x, y, z = x - excess, y - excess, z + 0.1 * (lam - z) / 10

    return run


def soft_margins(case):
    """The same projection as a quadratic programme."""
    n, d = case["n"], case["d"]
    rng = np.random.default_rng(n)
    features = rng.normal(size=(n, d))
    labels = np.where(features[:, 0] > 0, 1.0, -1.0)
    rows = np.hstack([features, np.ones((n, 1))]) * labels[:, None]
    size = d + 1 + n
    P = spmatrix(1.0, range(size), range(size))
    G = matrix(np.hstack([-rows, -np.eye(n)]))
    h = matrix(-np.ones(n))
    point = matrix(-rng.normal(size=size))
    return lambda: solvers.qp(P, point, G, h)


serve({"toy": toy, "softMargins": soft_margins})

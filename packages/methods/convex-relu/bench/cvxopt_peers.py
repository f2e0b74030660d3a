"""The convex programme by CVXOPT's interior-point method, and networks by scikit-learn and PyTorch."""
import numpy as np
from offprint_bench import serve


def conic(rows, targets, patterns, beta):
    """min 1/2 ||F u - y||^2 + beta sum_j ||u_j||, (2 D - I) X u_j >= 0, to 1e-6; gives its objective."""
    import cvxopt

    cvxopt.solvers.options.update(show_progress=False, abstol=1e-6, reltol=1e-6, feastol=1e-7)
    X, y = np.array(rows), np.array(targets)
    n, d = X.shape
    P = len(patterns)
    blocks = 2 * P
    size = blocks * (d + 1)
    D = np.array(patterns)
    F = np.hstack([D[i][:, None] * X for i in range(P)] + [-D[i][:, None] * X for i in range(P)])
    Q = np.zeros((size, size))
    Q[: blocks * d, : blocks * d] = F.T @ F
    q = np.concatenate([-F.T @ y, np.full(blocks, beta)])
    ri, ci, vals = [], [], []
    for j in range(blocks):
        S = -(2 * D[j % P] - 1)[:, None] * X
        for c in range(d):
            ri += range(j * n, (j + 1) * n)
            ci += [j * d + c] * n
            vals += S[:, c].tolist()
    at = blocks * n
    for j in range(blocks):
        ri += [at] + [at + 1 + c for c in range(d)]
        ci += [blocks * d + j] + [j * d + c for c in range(d)]
        vals += [-1.0] * (d + 1)
        at += d + 1
    G = cvxopt.spmatrix(vals, ri, ci, (at, size))
    h = cvxopt.matrix(0.0, (at, 1))
    dims = {"l": blocks * n, "q": [d + 1] * blocks, "s": []}
    Qc, qc = cvxopt.matrix(Q), cvxopt.matrix(q)

    def solve():
        result = cvxopt.solvers.coneqp(Qc, qc, G, h, dims)
        assert result["status"] == "optimal", result["status"]
        return result["primal objective"] + 0.5 * float(y @ y)

    return solve


def mlp(rows, targets, beta, width, iterations):
    """MLPRegressor, which minimises 1/(2 n) ||f - y||^2 + alpha/(2 n) ||weights||^2 by L-BFGS."""
    from sklearn.neural_network import MLPRegressor

    X, y = np.array(rows)[:, :-1], np.array(targets)

    def fit():
        return MLPRegressor((width,), alpha=beta, solver="lbfgs", max_iter=iterations, random_state=0).fit(X, y)

    return fit


def torch_adam(rows, targets, beta, width, steps):
    import torch

    torch.set_num_threads(1)
    X, y = torch.tensor(rows, dtype=torch.float64), torch.tensor(targets, dtype=torch.float64)

    def fit():
        torch.manual_seed(0)
        U = (0.5 * torch.randn(X.shape[1], width, dtype=torch.float64)).requires_grad_()
        a = (0.5 * torch.randn(width, dtype=torch.float64)).requires_grad_()
        optimizer = torch.optim.Adam([U, a], lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            f = torch.relu(X @ U) @ a
            (0.5 * ((f - y) ** 2).sum() + beta / 2 * ((U**2).sum() + (a**2).sum())).backward()
            optimizer.step()

    return fit


serve({"conic": conic, "mlp": mlp, "torch_adam": torch_adam})

"""What people use instead: scikit-learn and SciPy, on the problems of problems.ts."""
import warnings

import numpy as np
import scipy.optimize
import scipy.sparse
import scipy.sparse.linalg
from offprint_bench import serve
from sklearn.linear_model import Lasso, LogisticRegression

warnings.filterwarnings("ignore")


def noise(i, j):
    v = np.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 0.37 * i * j) * 43758.5453
    return 2 * (v - np.floor(v)) - 1


def design(m, n):
    i, j = np.arange(m)[:, None], np.arange(n)[None, :]
    A = noise(i, j) * (0.5 + (j % 7) / 4)
    w = np.where(np.arange(n) % 20 == 0, 1 + np.arange(n) % 3, 0)
    return A, A @ w + 0.3 * noise(np.arange(m), n + 5)


def objective(A, y, weight, x):
    return 0.5 * np.sum((A @ x - y) ** 2) + weight * np.abs(x).sum()


def lasso(m, n, share):
    A, y = design(m, n)
    weight = share * np.abs(A.T @ y).max()
    exact = Lasso(alpha=weight / m, fit_intercept=False, tol=1e-14, max_iter=10**6).fit(A, y).coef_
    best = objective(A, y, weight, exact)
    A = np.asfortranarray(A)
    # The loosest tolerance that reaches a relative gap of 1e-8.
    for tol in 10.0 ** -np.arange(2, 15):
        model = Lasso(alpha=weight / m, fit_intercept=False, tol=tol, max_iter=10**6)
        if objective(A, y, weight, model.fit(A, y).coef_) - best <= 1e-8 * best:
            break
    return lambda: model.fit(A, y)


def nnls(m, n):
    A, y = design(m, n)
    return lambda: scipy.optimize.nnls(A, y)


def logistic(m, n, weight):
    A, y = design(m, n)
    labels = np.where(y > np.median(y), 1, -1)

    def loss(x):
        return np.logaddexp(0, -labels * (A @ x)).sum() + weight * np.abs(x).sum()

    def fit(tol):
        model = LogisticRegression(penalty="l1", C=1 / weight, solver="liblinear", fit_intercept=False, tol=tol, max_iter=10**5)
        return model, model.fit(A, labels).coef_.ravel()

    best = loss(fit(1e-12)[1])
    for tol in 10.0 ** -np.arange(2, 13):
        model, x = fit(tol)
        if loss(x) - best <= 1e-8 * best:
            break
    return lambda: model.fit(A, labels)


def lattice(side):
    n = side * side
    index = np.arange(n).reshape(side, side)
    ends = np.concatenate([np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()]), np.stack([index[:-1].ravel(), index[1:].ravel()])], axis=1)
    W = scipy.sparse.coo_matrix((np.ones(ends.shape[1]), ends), shape=(n, n))
    W = (W + W.T).tocsr()
    labelled = np.arange(0, n, 25)
    free = np.setdiff1d(np.arange(n), labelled)
    L = scipy.sparse.diags(np.asarray(W.sum(1)).ravel()) - W
    return L.tocsr()[free][:, free].tocsc(), W[free][:, labelled] @ (10 * noise(labelled, 1))


def cg(side):
    A, c = lattice(side)
    exact = scipy.sparse.linalg.spsolve(A, c)
    best = -0.5 * c @ exact

    for tol in 10.0 ** -np.arange(1, 15):
        x = scipy.sparse.linalg.cg(A, c, rtol=tol)[0]
        if 0.5 * x @ (A @ x) - c @ x - best <= -1e-8 * best:
            break
    return lambda: scipy.sparse.linalg.cg(A, c, rtol=tol)


def direct(side):
    A, c = lattice(side)
    return lambda: scipy.sparse.linalg.spsolve(A, c)


serve({"lasso": lasso, "nnls": nnls, "logistic": logistic, "cg": cg, "direct": direct})

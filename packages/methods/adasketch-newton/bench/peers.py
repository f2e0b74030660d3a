"""SciPy on constrained logistic regression with all derivatives, NumPy on single Kaczmarz steps and on the dense solve."""

import numpy as np
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize

from offprint_bench import serve


def logistic_problem(data):
    X, y = np.array(data["X"]), np.array(data["y"])
    A, b = np.array(data["A"]), np.array(data["b"])

    def objective(z):
        return np.mean(np.logaddexp(0, -y * (X @ z)))

    def gradient(z):
        return -X.T @ (y / (1 + np.exp(y * (X @ z)))) / len(y)

    def hessian(z):
        p = 1 / (1 + np.exp(-y * (X @ z)))
        return (X.T * (p * (1 - p))) @ X / len(y)

    return objective, gradient, hessian, A, b


def slsqp(data):
    f, g, _, A, b = logistic_problem(data)
    constraints = [
        {"type": "eq", "fun": lambda z: A @ z - b, "jac": lambda z: A},
        {"type": "eq", "fun": lambda z: z @ z - 1, "jac": lambda z: 2 * z},
    ]
    start = np.ones(A.shape[1])
    return lambda: minimize(f, start, jac=g, constraints=constraints, method="SLSQP", options={"ftol": 1e-10}).nit


def trust_constr(data):
    f, g, h, A, b = logistic_problem(data)
    unit = np.eye(A.shape[1])
    sphere = NonlinearConstraint(lambda z: z @ z, 1, 1, jac=lambda z: 2 * z[None], hess=lambda z, v: 2 * v[0] * unit)
    constraints = [LinearConstraint(A, b, b), sphere]
    start = np.ones(A.shape[1])
    options = {"gtol": 1e-4}
    return lambda: minimize(f, start, jac=g, hess=h, constraints=constraints, method="trust-constr", options=options).nit


def kaczmarz(data):
    K, b = np.array(data["K"]), np.array(data["b"])
    norms = np.sum(K * K, axis=1)
    rows = np.random.default_rng(0).integers(0, len(b), 4000)

    def run():
        x = np.zeros(len(b))
        for i in rows:
            row = K[i]
            x -= (row @ x - b[i]) / norms[i] * row
        return x[0]

    return run


def dense(data):
    K, b = np.array(data["K"]), np.array(data["b"])
    return lambda: np.linalg.solve(K, b)[0]


serve({"slsqp": slsqp, "trust-constr": trust_constr, "kaczmarz": kaczmarz, "dense": dense})

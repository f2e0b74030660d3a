"""CVXOPT on the problems of solve.bench.ts: a case gets a problem in svec form and returns the solver as a function."""
import cvxopt
import numpy as np
from offprint_bench import serve

cvxopt.solvers.options.update(show_progress=False, abstol=1e-6, reltol=1e-6, feastol=1e-6)


def full_rows(rows, order):
    """svec rows as CVXOPT's column-major full rows; it reads the lower triangle only."""
    full = np.zeros((order * order, rows.shape[1]))
    at = 0
    for j in range(order):
        for i in range(j, order):
            full[j * order + i] = full[i * order + j] = rows[at] / (1 if i == j else np.sqrt(2))
            at += 1
    return full


def sparse(matrix):
    rows, columns = np.nonzero(matrix)
    values = matrix[rows, columns]
    return cvxopt.spmatrix(values.tolist(), rows.tolist(), columns.tolist(), matrix.shape)


def conic(problem):
    n = len(problem["c"])
    A = np.array(problem["A"], dtype=float).reshape(-1, n)
    b = np.array(problem["b"], dtype=float).reshape(-1, 1)
    z, l, q, s = (problem["cones"].get(key, default) for key, default in (("z", 0), ("l", 0), ("q", []), ("s", [])))
    linear = z + l + sum(q)
    G, h, at = [A[z:linear]], [b[z:linear]], linear
    for order in s:
        size = order * (order + 1) // 2
        G.append(full_rows(A[at : at + size], order))
        h.append(full_rows(b[at : at + size], order))
        at += size
    args = [cvxopt.matrix(np.array(problem["c"], dtype=float)), sparse(np.concatenate(G)), cvxopt.matrix(np.concatenate(h))]
    dims = {"l": l, "q": q, "s": s}
    equalities = [sparse(A[:z]), cvxopt.matrix(b[:z])] if z else []
    if "P" in problem:
        P = sparse(np.array(problem["P"], dtype=float))
        return lambda: cvxopt.solvers.coneqp(P, *args, dims, *equalities)
    return lambda: cvxopt.solvers.conelp(*args, dims, *equalities)


serve({"conic": conic})

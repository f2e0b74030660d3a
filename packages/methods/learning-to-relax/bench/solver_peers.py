"""SOR, symmetric SOR and CG preconditioned by it, of SciPy's compiled parts: CSR products and triangular solves."""

import numpy
import scipy.sparse as sparse
from offprint_bench import serve
from scipy.sparse.linalg import LinearOperator, cg, splu, spsolve_triangular

PLAIN = {"permc_spec": "NATURAL", "diag_pivot_thresh": 0.0, "options": {"SymmetricMode": True}}


def grid(side):
    line = sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(side, side))
    eye = sparse.identity(side)
    return (sparse.kron(line, eye) + sparse.kron(eye, line)).tocsr()


def stationary(a, b, step):
    """Returns a solve that iterates x += step(r) to 1e-8."""

    def solve():
        x, r = numpy.zeros_like(b), b
        target = 1e-8 * numpy.linalg.norm(b)
        k = 0
        while numpy.linalg.norm(r) >= target and k < 10000:
            x += step(r)
            r = b - a @ x
            k += 1
        return x

    return solve


def factors(a, omega):
    d = sparse.diags(a.diagonal())
    return sparse.csc_matrix(d / omega + sparse.tril(a, -1)), a.diagonal()


def sor(side, omega):
    a = grid(side)
    factor = splu(factors(a, omega)[0], **PLAIN)
    return stationary(a, numpy.random.default_rng(0).normal(size=side * side), factor.solve)


def sor_triangular(side, omega):
    a = grid(side)
    lower = factors(a, omega)[0].tocsr()
    step = lambda r: spsolve_triangular(lower, r, lower=True)
    return stationary(a, numpy.random.default_rng(0).normal(size=side * side), step)


def half_solves(a, omega):
    lower, d = factors(a, omega)
    forward, backward = splu(lower, **PLAIN), splu(sparse.csc_matrix(lower.T), **PLAIN)
    scale = (2 - omega) / omega * d
    return lambda r: backward.solve(scale * forward.solve(r))


def ssor(side, omega):
    a = grid(side)
    return stationary(a, numpy.random.default_rng(0).normal(size=side * side), half_solves(a, omega))


def heat(nx):
    dt, t = 1e-3, 0.7505
    kappa = max(0.1 * numpy.sin(2 * numpy.pi * t), -10 * numpy.sin(2 * numpy.pi * t))
    side = nx - 1
    a = (sparse.identity(side * side) + kappa * dt * nx * nx / 2 * grid(side)).tocsr()
    return a, numpy.random.default_rng(0).normal(size=side * side)


def plain_cg(nx):
    a, b = heat(nx)
    return lambda: cg(a, b, rtol=1e-8, atol=0)[0]


def ssor_cg(nx, omega):
    a, b = heat(nx)
    inverse = LinearOperator(a.shape, half_solves(a, omega))
    return lambda: cg(a, b, rtol=1e-8, atol=0, M=inverse)[0]


serve({"sor": sor, "sor_triangular": sor_triangular, "ssor": ssor, "plain_cg": plain_cg, "ssor_cg": ssor_cg})

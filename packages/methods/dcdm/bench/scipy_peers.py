"""Conjugate gradients of SciPy on the five-point matrix, plain and with an incomplete factorisation."""

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as linalg
from offprint_bench import serve


def cg(data):
    n, b = data["size"], np.array(data["b"])
    line = sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(n, n))
    a = (sparse.kron(line, sparse.identity(n)) + sparse.kron(sparse.identity(n), line)).tocsr()
    m = None
    if data["factor"]:
        factor = linalg.spilu(a.tocsc(), drop_tol=1e-3, fill_factor=3)
        m = linalg.LinearOperator(a.shape, factor.solve)
    return lambda: linalg.cg(a, b, rtol=data["tolerance"], M=m)


serve({"cg": cg})

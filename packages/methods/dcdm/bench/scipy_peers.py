"""Conjugate gradients of SciPy on the five-point matrix. Its incomplete factorisation is not symmetric, and no peer."""

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as linalg
from offprint_bench import serve


def cg(data):
    n, b = data["size"], np.array(data["b"])
    line = sparse.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(n, n))
    a = (sparse.kron(line, sparse.identity(n)) + sparse.kron(sparse.identity(n), line)).tocsr()
    return lambda: linalg.cg(a, b, rtol=data["tolerance"])


serve({"cg": cg})

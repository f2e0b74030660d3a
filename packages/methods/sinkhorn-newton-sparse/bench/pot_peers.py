"""POT's solvers on the problems that the bench file hands over."""
import numpy as np
import ot
from offprint_bench import serve


def problem(p):
    n, m = len(p["r"]), len(p["c"])
    return np.array(p["r"]), np.array(p["c"]), np.array(p["cost"]).reshape(n, m)


def entropic(method):
    def case(p):
        r, c, C = problem(p)
        # POT looks at the error of every tenth iteration, in the Euclidean norm: a weaker criterion than the summed one.
        options = dict(method=method, numItermax=p["iterations"], stopThr=p["tol"], warn=False)
        return lambda: ot.sinkhorn(r, c, C, 1 / p["eta"], **options)

    return case


def emd(p):
    r, c, C = problem(p)
    return lambda: ot.emd(r, c, C, numItermax=10_000_000)


serve({"log": entropic("sinkhorn_log"), "stabilised": entropic("sinkhorn_stabilized"), "plain": entropic("sinkhorn"), "emd": emd})

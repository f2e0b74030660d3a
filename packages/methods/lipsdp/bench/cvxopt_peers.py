"""The chain programme of a MaxMin network, solved by CVXOPT's interior-point method."""
import cvxopt
import numpy as np
from offprint_bench import serve

cvxopt.solvers.options.update(show_progress=False, abstol=1e-6, reltol=1e-6, feastol=1e-6)


def chain(weights):
    """min rho, W_1^T T_1 W_1 <= rho I, W_i^T T_i W_i <= T_{i-1}, W_l^T W_l <= T_{l-1}, on normalised weights."""
    Ws = [np.array(w) for w in weights]
    Ws = [w / np.linalg.norm(w, 2) for w in Ws]
    d = Ws[0].shape[1]
    sizes = [w.shape[0] for w in Ws[:-1]]
    count = 1 + sum(sizes)
    starts = np.cumsum([1] + sizes)

    def bases(layer):
        n = sizes[layer]
        out = []
        for g in range(n // 2):
            for form in (np.eye(2), np.ones((2, 2))):
                T = np.zeros((n, n))
                T[2 * g : 2 * g + 2, 2 * g : 2 * g + 2] = form
                out.append(T)
        return out

    blocks, constants = [], []
    for i, W in enumerate(Ws):
        n = W.shape[1]
        G = np.zeros((n * n, count))
        if i == 0:
            G[:, 0] = -np.eye(n).ravel()
        else:
            for k, T in enumerate(bases(i - 1)):
                G[:, starts[i - 1] + k] -= T.ravel()
        if i < len(Ws) - 1:
            for k, T in enumerate(bases(i)):
                G[:, starts[i] + k] += (W.T @ T @ W).ravel()
        blocks.append(cvxopt.sparse(cvxopt.matrix(G)))
        constants.append(cvxopt.matrix(-(W.T @ W) if i == len(Ws) - 1 else np.zeros((n, n))))
    c = cvxopt.matrix(np.eye(1, count).ravel())
    lambdas = [starts[layer] + 2 * g for layer, n in enumerate(sizes) for g in range(n // 2)]
    Gl = cvxopt.spmatrix(-1.0, range(len(lambdas)), [int(k) for k in lambdas], (len(lambdas), count))
    hl = cvxopt.matrix(0.0, (len(lambdas), 1))
    return lambda: cvxopt.solvers.sdp(c, Gl=Gl, hl=hl, Gs=blocks, hs=constants)


serve({"chain": chain})

"""Training in PyTorch, and the two programmes with CVXOPT."""

import cvxopt
import numpy
import torch
from offprint_bench import serve

cvxopt.solvers.options.update(show_progress=False, abstol=1e-9, reltol=1e-9, feastol=1e-9)


def train(data):
    x, z, y, v = (torch.tensor(data[name], dtype=torch.float64) for name in ("tokens", "queries", "labels", "v"))
    d = v.shape[0]

    def run():
        w = torch.zeros(d, d, dtype=torch.float64, requires_grad=True)
        for _ in range(200):
            scores = (x @ (w @ z.T).T[:, :, None])[:, :, 0]
            pooled = (torch.softmax(scores, 1)[:, :, None] * x).sum(1)
            loss = torch.nn.functional.softplus(-y * (pooled @ v)).mean()
            (slope,) = torch.autograd.grad(loss, w)
            with torch.no_grad():
                w -= 0.1 * slope / (slope.norm() + 2.2e-16)

    return run


def rows(data):
    x, z = numpy.array(data["tokens"]), numpy.array(data["queries"])
    found = []
    for i, chosen in enumerate(data["chosen"]):
        for t in range(x.shape[1]):
            if t != chosen:
                found.append(numpy.outer(x[i, chosen] - x[i, t], z[i]))
    return numpy.array(found)


def frobenius(data):
    g = rows(data).reshape(len(rows(data)), -1)
    gram, ones = cvxopt.matrix(g @ g.T), cvxopt.matrix(-numpy.ones(len(g)))
    bound, zero = cvxopt.matrix(-numpy.eye(len(g))), cvxopt.matrix(numpy.zeros(len(g)))
    return lambda: cvxopt.solvers.qp(gram, ones, bound, zero)


def nuclear(data):
    g = rows(data)
    d = g.shape[1]
    order = 2 * d
    places = [(d + j, i) for i in range(d) for j in range(d)]
    cost = [0.0] * (d * d)
    for start in (0, d):
        for i in range(start, start + d):
            for j in range(start, i + 1):
                places.append((i, j))
                cost.append(0.5 if i == j else 0.0)
    c = cvxopt.matrix(cost)
    linear = numpy.zeros((len(g), len(cost)))
    linear[:, : d * d] = -g.reshape(len(g), -1)
    cone = cvxopt.spmatrix([], [], [], (order * order, len(cost)))
    for k, (i, j) in enumerate(places):
        cone[j * order + i, k] = -1.0
        cone[i * order + j, k] = -1.0
    zero = cvxopt.matrix(0.0, (order, order))
    bound = cvxopt.matrix(-numpy.ones(len(g)))
    return lambda: cvxopt.solvers.sdp(c, Gl=cvxopt.matrix(linear), hl=bound, Gs=[cone], hs=[zero])


serve({"train": train, "frobenius": frobenius, "nuclear": nuclear})

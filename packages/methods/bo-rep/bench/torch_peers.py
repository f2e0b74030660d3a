"""BO-REP in PyTorch, by autograd, on the problems of bo-rep.bench.ts."""
import torch
from offprint_bench import serve
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
grad = torch.autograd.grad


def bo_rep(x, y, upper, lower, draw, iterations, alpha, gamma, eta, shared):
    """The loop, I = 2 and N = 3; x and y are lists of tensors."""
    z = [torch.zeros_like(p) for p in y]
    m = [torch.zeros_like(p) for p in x]
    for k in range(iterations):
        if k > 0 and k % 2 == 0:
            for _ in range(3):
                slope = grad(lower(x, y, draw()), y)
                with torch.no_grad():
                    for p, g in zip(y, slope):
                        p -= alpha * g
        if shared:
            right = grad(upper(x, y, draw()), [*x, *y], allow_unused=True)
            slope = grad(lower(x, y, draw()), y, create_graph=True)
            products = grad(sum((g * v).sum() for g, v in zip(slope, z)), [*x, *y])
            fx, fy, jz, hz = right[: len(x)], right[len(x) :], products[: len(x)], products[len(x) :]
        else:
            slope = grad(lower(x, y, draw()), y, create_graph=True)
            hz = grad(sum((g * v).sum() for g, v in zip(slope, z)), y)
            fy = grad(upper(x, y, draw()), y)
            fx = grad(upper(x, y, draw()), x, allow_unused=True)
            slope = grad(lower(x, y, draw()), y, create_graph=True)
            jz = grad(sum((g * v).sum() for g, v in zip(slope, z)), x)
        with torch.no_grad():
            z = [v - gamma * (h - f) for v, h, f in zip(z, hz, fy)]
            m = [0.9 * a + 0.1 * ((0 if f is None else f) - j) for a, f, j in zip(m, fx, jz)]
            norm = torch.sqrt(sum((a**2).sum() for a in m))
            if norm > 0:
                for p, a in zip(x, m):
                    p -= eta * a / norm


def network(case, shared):
    width, length, batch, iterations = (case[k] for k in ("width", "length", "batch", "iterations"))
    vocabulary = 50
    data = [(torch.randint(vocabulary, (500, length)), torch.randint(2, (500,))) for _ in range(2)]
    x0 = [torch.randn(vocabulary, width) * 0.5, torch.randn(width, width) / width**0.5]
    y0 = [torch.zeros(width, 2), torch.zeros(2)]

    def loss(x, y, at, table):
        seen = x[0][table[0][at]]
        h = torch.tanh(seen[:, 0])
        for t in range(1, length):
            h = torch.tanh(seen[:, t] + h @ x[1])
        return cross_entropy(h @ y[0] + y[1], table[1][at])

    def upper(x, y, at):
        return loss(x, y, at, data[1])

    def lower(x, y, at):
        return loss(x, y, at, data[0]) + 0.005 * sum((p**2).sum() for p in y)

    def run():
        x, y = ([p.clone().requires_grad_() for p in group] for group in (x0, y0))
        bo_rep(x, y, upper, lower, lambda: torch.randint(500, (batch,)), iterations, 0.5, 0.5, 0.01, shared)

    return run


def steep(case):
    torch.manual_seed(0)
    d = 5
    w = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64))[0]
    q = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64))[0]
    a = q * torch.arange(1, d + 1) @ q.T
    x0, y0 = w.T @ torch.full((d,), -4.0, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)

    def upper(x, y, noise):
        return (torch.exp(3 * (y[0] - 2)) + torch.exp(-3 * (y[0] + 2)) - 0.3 * y[0] + noise * y[0]).sum()

    def lower(x, y, noise):
        r = y[0] - w @ x[0]
        return r @ a @ r / 2 + noise @ y[0]

    def run():
        x, y = [x0.clone().requires_grad_()], [y0.clone().requires_grad_()]
        draw = lambda: 0.05 * torch.randn(d, dtype=torch.float64)
        bo_rep(x, y, upper, lower, draw, case["iterations"], 0.15, 0.15, 0.01, False)

    return run


serve({"independent": lambda c: network(c, False), "shared": lambda c: network(c, True), "steep": steep})

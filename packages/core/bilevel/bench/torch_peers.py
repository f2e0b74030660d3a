"""PyTorch on the problem of torch.bench.ts: the same algorithm and the same product, by autograd in float64."""
import torch
from offprint_bench import serve
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def problem(n, d, classes):
    a, v = torch.randn(n, d), torch.randn(n, d)
    b, c = torch.randint(classes, (n,)), torch.randint(classes, (n,))

    def upper(y, at):
        return cross_entropy(v[at] @ y[0] + y[1], c[at])

    def lower(x, y, at):
        losses = cross_entropy(a[at] @ y[0] + y[1], b[at], reduction="none")
        return (torch.sigmoid(x[at]) * losses).mean() + 0.005 * sum((p**2).sum() for p in y)

    y = [torch.zeros(d, classes, requires_grad=True), torch.zeros(classes, requires_grad=True)]
    return torch.zeros(n, requires_grad=True), y, upper, lower


def ma_soba(case):
    n, d, classes, batch, iterations = (case[k] for k in ("n", "d", "classes", "batch", "iterations"))
    x0, y0, upper, lower = problem(n, d, classes)

    def run():
        x, y = x0.detach().clone().requires_grad_(), [p.detach().clone().requires_grad_() for p in y0]
        z, m = [torch.zeros_like(p) for p in y], torch.zeros_like(x)
        for _ in range(iterations):
            right = torch.autograd.grad(upper(y, torch.randint(n, (batch,))), y)
            slope = torch.autograd.grad(lower(x, y, torch.randint(n, (batch,))), y, create_graph=True)
            products = torch.autograd.grad(sum((g * v).sum() for g, v in zip(slope, z)), [x, *y])
            with torch.no_grad():
                m = 0.9 * m - 0.1 * products[0]
                x -= 10 * m
                for p, g in zip(y, slope):
                    p -= 0.5 * g
                z = [v - 0.5 * (h - r) for v, h, r in zip(z, products[1:], right)]

    return run


def hessian_product(case):
    n, d, classes, batch = (case[k] for k in ("n", "d", "classes", "batch"))
    x, y, _, lower = problem(n, d, classes)
    at, v = torch.randint(n, (batch,)), [torch.randn_like(p) for p in y]

    def run():
        slope = torch.autograd.grad(lower(x, y, at), y, create_graph=True)
        return torch.autograd.grad(sum((g * u).sum() for g, u in zip(slope, v)), y)

    return run


serve({"maSoba": ma_soba, "hessianProduct": hessian_product})

"""The bounds of this package in PyTorch, as auto_LiRPA computes them: CROWN forward, linear bounds backward on the
gradient, batched over outputs, in float64 on one thread. Without room for rounding."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def propagate(A, stages, lo, hi, offset):
    results = []
    for up in (True, False):
        rows, c = A, offset
        for us, ui, ls, li, M, b in stages:
            P, N = rows.clamp(min=0), rows.clamp(max=0)
            if not up:
                P, N = N, P
            c = c + (P * ui).sum(-1) + (N * li).sum(-1)
            rows = P * us + N * ls
            if b is not None:
                c = c + rows @ b
            rows = rows @ M
        P, N = rows.clamp(min=0), rows.clamp(max=0)
        if not up:
            P, N = N, P
        results.append(c + (P * hi).sum(-1) + (N * lo).sum(-1))
    return results[1], results[0]


def relu_lines(l, u):
    mixed = (l < 0) & (u > 0)
    us = torch.where(mixed, u / (u - l).clamp(min=1e-30), (l >= 0).to(l))
    ui = torch.where(mixed, -us * l, torch.zeros_like(l))
    ls = torch.where(mixed, (u > -l).to(l), (l >= 0).to(l))
    return us, ui, ls, torch.zeros_like(l)


def product_lines(gl, gu, lo, hi):
    mixed = (gl < 0) & (gu > 0)
    span = (gu - gl).clamp(min=1e-30)
    d = hi - lo
    us = torch.where(mixed, lo + d * gu / span, torch.where(gl >= 0, hi, lo))
    ui = torch.where(mixed, -d * gu * gl / span, torch.zeros_like(gl))
    ls = torch.where(mixed, lo - d * gl / span, torch.where(gl >= 0, lo, hi))
    li = torch.where(mixed, d * gl * gu / span, torch.zeros_like(gl))
    return us, ui, ls, li


def root(*dims):
    torch.manual_seed(0)
    W = [torch.randn(o, i) * (2 / i) ** 0.5 for i, o in zip(dims, dims[1:])]
    b = [torch.randn(o) * 0.1 for o in dims[1:]]
    x = torch.randn(dims[0])
    xl, xu = x - 0.01, x + 0.01

    def run():
        lines, bounds = [], []
        for k in range(len(W) - 1):
            stages = [(*lines[j], W[j], b[j]) for j in range(k - 1, -1, -1)]
            l, u = propagate(W[k], stages, xl, xu, b[k])
            bounds.append((l, u))
            lines.append(relu_lines(l, u))
        slopes = [((l > 0).to(l), (u >= 0).to(l)) for l, u in bounds]
        hidden = len(slopes)
        w = W[-1][:, None, :]
        lo, hi = slopes[-1]
        qlo, qhi = torch.minimum(w * lo, w * hi), torch.maximum(w * lo, w * hi)
        g = [None] * hidden
        for k in range(hidden - 1, -1, -1):
            stages = [
                (*product_lines(g[j][0][:, None], g[j][1][:, None], *slopes[j - 1]), W[j].T, None) for j in range(k + 1, hidden)
            ]
            A = W[k].T.expand(len(w), -1, -1)
            g[k] = propagate(A, stages, qlo, qhi, torch.zeros(1))
        gl, gu = g[0]
        span = (gu - gl).clamp(min=1e-30)
        mixed = (gl < 0) & (gu > 0)
        a = torch.where(mixed, (gu + gl) / span, torch.sign(gl + gu))
        t = torch.where(mixed, -2 * gu * gl / span, torch.zeros_like(gl)).sum(-1)
        one, zero = torch.ones(dims[0]), torch.zeros(dims[0])
        stages = [(one, zero, one, zero, W[0].T, None)]
        stages += [(*product_lines(g[j][0][:, None], g[j][1][:, None], *slopes[j - 1]), W[j].T, None) for j in range(1, hidden)]
        return propagate(a[:, None], stages, qlo, qhi, torch.zeros(1))[1][:, 0] + t

    return run


serve({"root": root})

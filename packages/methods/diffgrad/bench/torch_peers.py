"""PyTorch's Adam, and diffGrad written in PyTorch operations, one step on one tensor."""

import torch
from offprint_bench import serve


def adam(size, foreach=False):
    p = torch.nn.Parameter(torch.randn(size))
    p.grad = torch.randn(size)
    optimizer = torch.optim.Adam([p], lr=1e-3, foreach=foreach)
    return optimizer.step


def diffgrad(size):
    p, g = torch.randn(size), torch.randn(size)
    m, v, previous = torch.zeros(size), torch.zeros(size), torch.randn(size)
    t = 0

    def step():
        nonlocal t
        t += 1
        m.mul_(0.9).add_(g, alpha=0.1)
        v.mul_(0.999).addcmul_(g, g, value=0.001)
        friction = torch.sigmoid((previous - g).abs_())
        previous.copy_(g)
        denominator = (v / (1 - 0.999**t)).sqrt_().add_(1e-8)
        p.addcdiv_(friction.mul_(m), denominator, value=-1e-3 / (1 - 0.9**t))

    return step


serve({"adam": adam, "adam_foreach": lambda size: adam(size, True), "diffgrad": diffgrad})

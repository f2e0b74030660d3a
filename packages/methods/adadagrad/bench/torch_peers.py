"""Softmax regression with AdaGrad and the norm test, per-sample gradients by torch.func."""

import torch
from offprint_bench import serve
from torch.func import grad, vmap

torch.set_num_threads(1)


def setup(batch, features, classes):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, features, generator=generator, dtype=torch.float64)
    y = torch.randint(0, classes, (batch,), generator=generator)
    weight = torch.zeros(features, classes, dtype=torch.float64)
    total = torch.zeros_like(weight)
    return x, y, weight, total


def descend(weight, total, g):
    total += g * g
    weight -= 0.01 * g / (total.sqrt() + 1e-10)


def tested(batch, features, classes, steps):
    x, y, weight, total = setup(batch, features, classes)

    def loss(w, a, b):
        return torch.nn.functional.cross_entropy((a @ w)[None], b[None])

    each = vmap(grad(loss), (None, 0, 0))

    def run():
        for _ in range(steps):
            g = each(weight, x, y)
            mean = g.mean(0)
            variance = ((g - mean) ** 2).sum() / (batch - 1)
            required = float(variance / (0.25 * (mean**2).sum()))
            descend(weight, total, mean)
        return required

    return run


serve({"tested": tested})

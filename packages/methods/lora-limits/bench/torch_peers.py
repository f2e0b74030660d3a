"""The gradient of a head's adapters by automatic differentiation of PyTorch's attention."""

import torch
from offprint_bench import serve


def gradient(data):
    tensor = lambda values: torch.tensor(values, dtype=torch.float64)
    x, target = tensor(data["x"]), tensor(data["target"])
    frozen, adapters = [], []
    for name in "qkv":
        frozen.append(tensor(data[name]["weight"]))
        adapters.append([tensor(data[name][part]).requires_grad_() for part in "ba"])

    def run():
        q, k, v = (x @ (w + b @ a) for w, (b, a) in zip(frozen, adapters))
        o = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], scale=data["beta"])[0]
        loss = 0.5 * ((o - target) ** 2).sum()
        return torch.autograd.grad(loss, [part for pair in adapters for part in pair])

    return run


serve({"gradient": gradient})

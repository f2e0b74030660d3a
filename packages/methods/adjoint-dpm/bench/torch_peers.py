"""The gradient of a sampler's loss in PyTorch: the same network, rk4, steps with checkpoints (what torch.utils.checkpoint does), one thread."""
import torch
from offprint_bench import serve
from torch.utils.checkpoint import checkpoint

torch.set_num_threads(1)


def gradient(case):
    weights = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in case["weights"]]
    rho = case["rho"]
    start = torch.tensor(case["start"], dtype=torch.float32)

    def noise(y, r):
        h = y / (1 + r * r) ** 0.5
        for w in weights[:-1]:
            h = torch.nn.functional.silu(h @ w)
        return h @ weights[-1]

    def step(y, a, b):
        h = b - a
        k1 = noise(y, a)
        k2 = noise(y + h / 2 * k1, a + h / 2)
        k3 = noise(y + h / 2 * k2, a + h / 2)
        k4 = noise(y + h * k3, b)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    def run():
        z = start.clone().requires_grad_(True)
        y = z
        for a, b in zip(rho[:-1], rho[1:]):
            y = checkpoint(step, y, a, b, use_reentrant=False)
        loss = (y * y).mean()
        return torch.autograd.grad(loss, [z, *weights])

    return run


serve({"gradient": gradient})

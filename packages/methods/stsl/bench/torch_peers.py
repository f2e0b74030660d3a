"""STSL's corrections by autograd in eager PyTorch, with the networks of corrections.bench.ts."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)


def corrections(case):
    f = lambda x: torch.tensor(x, dtype=torch.float32)
    weights = [f(w) for w in case["weights"]]
    first, second = [f(k) for k in case["kernels"]]
    mask, y, start = f(case["mask"]), f(case["y"]), f(case["start"])
    alphas, sigmas = case["alphas"], case["sigmas"]

    def denoise(z):
        h = z.reshape(z.shape[0], -1)
        for w in weights[:-1]:
            h = torch.nn.functional.silu(h @ w)
        return (h @ weights[-1]).reshape(z.shape)

    def decode(z):
        h = torch.relu(torch.nn.functional.conv2d(z, first, padding=1))
        h = torch.nn.functional.interpolate(h, scale_factor=2)
        return torch.tanh(torch.nn.functional.conv2d(h, second, padding=1))

    def run():
        z = start
        for i in range(len(alphas) - 1, 0, -1):
            a, s = alphas[i], sigmas[i]
            weight = 0.002 * s**4 / a**2
            length = 0.1 * s
            for k in range(5):
                e = torch.randn_like(z)
                x = z.detach().requires_grad_(True)
                noise = denoise(x)
                moved = denoise(x + length * e)
                z0 = (x - s * noise) / a
                missed = (y - mask * decode(z0)).flatten(1)
                squared = (missed**2).sum(1)
                trace = (e * (noise - moved)).flatten(1).sum(1) / (s * length)
                loss = (0.6 * (squared + weight * trace) / (2 * squared.detach().sqrt())).sum()
                (g,) = torch.autograd.grad(loss, x)
                if k < 4:
                    z = x.detach() - g
            b, t = alphas[i - 1], sigmas[i - 1]
            fresh = (t / s) * max(0.0, s**2 - (t * a / b) ** 2) ** 0.5
            noise = noise.detach()
            z = b * (x.detach() - s * noise) / a + max(0.0, t**2 - fresh**2) ** 0.5 * noise
            z = z + fresh * torch.randn_like(z) - g
        return decode(z)

    return run


serve({"corrections": corrections})

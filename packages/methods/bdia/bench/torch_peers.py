"""DDIM down in eager PyTorch with the network of sampling.bench.ts, as diffusers' scheduler computes it."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)


def sample(case):
    weights = [torch.tensor(w, dtype=torch.float32) for w in case["weights"]]
    alphas, sigmas = case["alphas"], case["sigmas"]
    start = torch.tensor(case["start"], dtype=torch.float32)

    def run():
        with torch.no_grad():
            z = start
            for i in range(len(alphas) - 1, 0, -1):
                h = z
                for w in weights[:-1]:
                    h = torch.nn.functional.silu(h @ w)
                e = h @ weights[-1]
                x0 = (z - sigmas[i] * e) / alphas[i]
                z = alphas[i - 1] * x0 + sigmas[i - 1] * e
            return z

    return run


serve({"sample": sample})

"""The score of a mixture of normal distributions in NumPy, diagonalised before: the case of mixture.bench.ts."""
import numpy as np
from offprint_bench import serve


def score(case):
    k, d, batch = case["components"], case["size"], case["batch"]
    rng = np.random.default_rng(0)
    means = rng.standard_normal((k, d))
    root = rng.standard_normal((k, d, d)) / np.sqrt(d)
    variances, vectors = np.linalg.eigh(root @ root.transpose(0, 2, 1))
    there = vectors.transpose(1, 0, 2).reshape(d, k * d)
    back = vectors.transpose(0, 2, 1).reshape(k * d, d)
    centres = np.einsum("kd,kde->ke", means, vectors)
    z = rng.standard_normal((batch, d))
    alpha, sigma = 0.8, 0.6

    def run():
        total = alpha**2 * variances + sigma**2
        offset = (z @ there).reshape(batch, k, d) - alpha * centres
        logits = -0.5 * (offset**2 / total + np.log(total)).sum(-1)
        logits -= logits.max(-1, keepdims=True)
        r = np.exp(logits)
        r /= r.sum(-1, keepdims=True)
        return -((r[..., None] * offset / total).reshape(batch, k * d) @ back)

    return run


serve({"score": score})

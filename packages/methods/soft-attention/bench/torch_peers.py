import torch
from torch.nn import functional as F
from offprint_bench import serve

torch.set_num_threads(1)


def without_gradient(f):
    def run():
        with torch.no_grad():
            f()

    return run


def attention(n, e):
    x = torch.randn(1, 1, n, e)
    return without_gradient(lambda: F.scaled_dot_product_attention(x, x, x))


def kernel(a, b):
    squares = (a**2).sum(-1)[..., :, None] + (b**2).sum(-1)[..., None, :]
    return torch.exp(-(squares - 2 * a @ b.transpose(-1, -2)).clamp(min=0) / 2)


def product(q, marks, value):
    p, a = kernel(q, marks), kernel(marks, marks)
    alpha = 1.8 / a.sum(-1).amax(-1)[..., None, None] ** 2
    ridged = a + 0.01 * torch.eye(a.shape[-1])
    z = alpha * ridged
    for _ in range(20):
        z = 2 * z - z @ ridged @ z
    return p @ (z @ (p.transpose(-1, -2) @ value))


def soft(n, e):
    x = torch.randn(1, 1, n, e)
    height = 2 ** ((n.bit_length() - 1) // 2)

    def run():
        q = x / e**0.25
        grid = q.reshape(1, height, n // height, e).permute(0, 3, 1, 2)
        marks = F.adaptive_avg_pool2d(grid, 7).flatten(2).transpose(1, 2)[:, None]
        return product(q, marks, x)

    return without_gradient(run)


def stage(side, e, heads):
    x = torch.randn(1, heads, side * side, e)
    weight = torch.randn(e, e, 8, 8) / (8 * e**0.5)

    def run():
        q = x / e**0.25
        marks = F.conv2d(q.reshape(heads, side, side, e).permute(0, 3, 1, 2), weight, stride=8)
        marks = F.gelu(F.layer_norm(marks.flatten(2).transpose(1, 2), [e]))[None]
        return product(q, marks, x)

    return without_gradient(run)


serve({"attention": attention, "soft": soft, "stage": stage})

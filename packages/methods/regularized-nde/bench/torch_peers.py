"""A training step through Tsit5 in eager PyTorch, the loop differentiated as it runs: the case of training.bench.ts."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)
C = [0, 0.161, 0.327, 0.9, 0.9800255409045097, 1]
A = [
    [0.161],
    [-0.008480655492356989, 0.335480655492357],
    [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
    [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
    [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774],
]
BT = [-0.001780011052225777, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552, -0.45808210592918697, 1 / 66]


def size(v):
    return torch.sqrt(torch.mean(v * v))


def solve(f, y, tolerance):
    t, k1, before, penalties = 0.0, f(0.0, y), 1e-4, []
    with torch.no_grad():
        scale = tolerance + tolerance * y.abs()
        d0, d1 = size(y / scale), size(k1 / scale)
        h0 = (0.01 * d0 / d1).item()
        d2 = size((f(h0, y + h0 * k1) - k1) / scale) / h0
        h = min(100 * h0, (0.01 / max(d1, d2)).item() ** 0.2, 1.0)
    while t < 1:
        h = min(h, 1 - t)
        k = [k1]
        for i, row in enumerate(A):
            g = y + h * sum(a * b for a, b in zip(row, k))
            k.append(f(t + h * (C[i + 1] if i < 5 else 1), g))
        error = h * sum(b * c for b, c in zip(BT, k))
        e = size(error / (tolerance + tolerance * torch.maximum(y.abs(), g.abs())))
        value = e.item()
        if value <= 1:
            penalties.append(e * h)
            t, y, k1 = t + h, g, k[-1]
            q = max(0.1, min(5, value**0.14 / before**0.08 / 0.9))
            before, h = max(value, 1e-4), h / q
        else:
            h = h / min(5, value**0.14 / 0.9)
    return y, sum(penalties) / len(penalties)


def step(case):
    w1, w2, head = (torch.tensor(case[k], dtype=torch.float64, requires_grad=True) for k in ("w1", "w2", "head"))
    x, y = torch.tensor(case["x"], dtype=torch.float64), torch.tensor(case["y"])
    optimizer = torch.optim.Adam([w1, w2, head], lr=0.0)

    def with_time(t, z):
        return torch.cat([z, torch.full((len(z), 1), t, dtype=z.dtype)], 1)

    def f(t, z):
        return with_time(t, torch.tanh(with_time(t, z) @ w1)) @ w2

    def run():
        optimizer.zero_grad()
        z, penalty = solve(f, x, 1e-6)
        (torch.nn.functional.cross_entropy(z @ head, y) + 100 * penalty).backward()
        optimizer.step()

    return run


serve({"step": step})

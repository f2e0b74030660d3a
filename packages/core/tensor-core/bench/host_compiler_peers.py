"""PyTorch, NumPy, numba and SciPy doing what host-compiler.bench.ts times."""

import math

import numpy
from offprint_bench import serve


def torch_mlp(sizes, batch):
    from torch_models import perceptron

    return perceptron(sizes, batch)


def torch_per_sample(sizes, batch):
    import torch

    torch.set_num_threads(1)
    weights = {}
    for i, (m, n) in enumerate(zip(sizes, sizes[1:])):
        weights[f"w{i}"] = torch.randn(m, n) * 0.05
        weights[f"b{i}"] = torch.zeros(n)
    x = torch.randn(batch, sizes[0])
    y = torch.randint(0, sizes[-1], (batch,))

    def loss(p, x, y):
        h = torch.relu(x[None] @ p["w0"] + p["b0"]) @ p["w1"] + p["b1"]
        return torch.nn.functional.cross_entropy(h, y[None])

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    return lambda: gradients(weights, x, y)


def torch_rosenbrock(steps):
    import torch

    torch.set_num_threads(1)
    start = torch.sin(1.7 * torch.arange(10, dtype=torch.float64) + 0.3)

    def run():
        x = start.clone().requires_grad_()
        for _ in range(steps):
            loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
            (g,) = torch.autograd.grad(loss, x)
            with torch.no_grad():
                x -= 1e-4 * g
        return x

    return run


def numba_rosenbrock(steps):
    from numba import njit

    @njit
    def run(x, steps):
        g = numpy.empty(10)
        for _ in range(steps):
            g[:] = 0.0
            for i in range(9):
                d = x[i + 1] - x[i] * x[i]
                g[i] += -400.0 * x[i] * d - 2.0 * (1.0 - x[i])
                g[i + 1] += 200.0 * d
            for i in range(10):
                x[i] -= 1e-4 * g[i]
        return x

    start = numpy.sin(1.7 * numpy.arange(10) + 0.3)
    run(start.copy(), steps)
    return lambda: run(start.copy(), steps)


A = [
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
E = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]


def numba_lorenz(steps):
    """The same steps, with stages and components written out as a person would."""
    from numba import njit

    weights = numpy.zeros((6, 6))
    for i, row in enumerate(A):
        weights[i, : len(row)] = row
    error = numpy.array(E)

    @njit
    def slope(y, k):
        k[0] = 10 * (y[1] - y[0])
        k[1] = y[0] * (28 - y[2]) - y[1]
        k[2] = y[0] * y[1] - 8 / 3 * y[2]

    @njit
    def run(steps, weights, error):
        y = numpy.ones(3)
        next = numpy.empty(3)
        k = numpy.empty((7, 3))
        h = 1e-3
        slope(y, k[0])
        for _ in range(steps):
            for s in range(6):
                for c in range(3):
                    t = 0.0
                    for j in range(s + 1):
                        t += weights[s, j] * k[j, c]
                    next[c] = y[c] + h * t
                slope(next, k[s + 1])
            norm = 0.0
            for c in range(3):
                t = 0.0
                for j in range(7):
                    t += error[j] * k[j, c]
                scale = 1e-8 + 1e-8 * max(abs(y[c]), abs(next[c]))
                norm += (h * t / scale) ** 2
            norm = math.sqrt(norm / 3)
            if norm < 1:
                y[:] = next
                k[0] = k[6]
            h *= min(5.0, max(0.2, 0.9 * norm**-0.2))
        return y

    run(10, weights, error)
    return lambda: run(steps, weights, error)


def scipy_lorenz(steps):
    """SciPy's own loop; one call takes `steps` steps, of which a hundredth is timed and taken a hundredfold."""
    from scipy.integrate import RK45

    def slope(_, y):
        return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]

    def run():
        solver = RK45(slope, 0, numpy.ones(3), 1e9, rtol=1e-8, atol=1e-8)
        for _ in range(steps):
            solver.step()

    return run


def numpy_chain(size):
    x = numpy.sin(1.7 * numpy.arange(size) + 0.3)
    y = -x
    return lambda: numpy.sqrt(x * x + y * y) * 0.5 + numpy.maximum(x - y, 0)


def torch_adam(size):
    import torch

    torch.set_num_threads(1)
    p = torch.zeros(size, requires_grad=True)
    p.grad = torch.sin(1.7 * torch.arange(size) + 0.3)
    optimizer = torch.optim.Adam([p], foreach=True)
    return optimizer.step


serve(
    {
        "torch_mlp": torch_mlp,
        "torch_per_sample": torch_per_sample,
        "torch_rosenbrock": torch_rosenbrock,
        "numba_rosenbrock": numba_rosenbrock,
        "numba_lorenz": numba_lorenz,
        "scipy_lorenz": scipy_lorenz,
        "numpy_chain": numpy_chain,
        "torch_adam": torch_adam,
    }
)

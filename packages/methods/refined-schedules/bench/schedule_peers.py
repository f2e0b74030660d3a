"""SciPy's running median, and the minimum of the bound B by SciPy's L-BFGS-B with its gradient from PyTorch."""

import numpy
from offprint_bench import serve


def median(steps, width):
    from scipy.ndimage import median_filter

    x = numpy.exp(numpy.random.default_rng(0).normal(size=steps))
    return lambda: median_filter(x, size=width, mode="mirror")


def minimise(steps):
    import torch
    from scipy.optimize import minimize

    torch.set_num_threads(1)
    g2 = torch.ones(steps, dtype=torch.float64)

    def objective(values):
        eta = torch.tensor(values, requires_grad=True)
        s = torch.flip(torch.cumsum(torch.flip(eta, [0]), 0), [0])
        i = torch.flip(torch.cumsum(torch.flip(eta**2 * g2, [0]), 0), [0])
        b = (1 + i[0]) / (2 * s[0]) + 0.5 * torch.sum(eta[:-1] * i[:-1] / (s[:-1] * s[1:]))
        b.backward()
        return b.item(), eta.grad.numpy()

    start = numpy.full(steps, 1 / numpy.sqrt(steps))
    options = {"maxcor": 20, "maxiter": 20000, "maxfun": 40000, "ftol": 1e-13, "gtol": 1e-9}
    return lambda: minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(1e-8, None)] * steps, options=options)


serve({"median": median, "minimise": minimise})

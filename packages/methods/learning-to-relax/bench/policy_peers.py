"""One round of Tsallis-INF and ChebCB in NumPy, written as the authors' code is: fits over the history of an arm."""

import numpy
from offprint_bench import serve


def tsallis(d):
    rng = numpy.random.default_rng(0)
    grid = numpy.linspace(1, 1.95, d)
    k, t, total = numpy.zeros(d), 1, 0.0

    def one():
        nonlocal t, total
        scale = max(total / max(t - 1, 1) - 1, 1) if t > 1 else 1
        eta = 2 / numpy.sqrt(t)
        y = k / scale
        x = y.min() - 2 / eta
        for _ in range(100):
            p = 4 / (eta * (y - x)) ** 2
            change = (p.sum() - 1) / (eta * (p**1.5).sum())
            x -= change
            if abs(change) <= 1e-14 * abs(x):
                break
        p /= p.sum()
        arm = rng.choice(d, p=p)
        loss = 30 + 100 * abs(grid[arm] - 1.6)
        total += loss
        k[arm] += (loss - 1) / p[arm]
        t += 1

    return one


def cheb(rounds):
    rng = numpy.random.default_rng(0)
    d, m = 20, 6
    grid = numpy.linspace(1, 1.95, d)
    theta = numpy.zeros((d, m))
    features, losses, arms, predictions = [], [], [], []
    eta = 0.0

    def one():
        nonlocal eta
        c = (len(losses) * 0.6180339887 % 1) ** 2
        f = numpy.cos(numpy.arange(m) * numpy.arccos(2 * c - 1))
        y = theta @ f
        best = y.argmin()
        p = 1 / (d + eta * (y - y[best]))
        p[best] = 0
        p[best] = max(0, 1 - p.sum())
        arm = rng.choice(d, p=p / p.sum())
        loss = round(30 + 100 * abs(grid[arm] - 1.2 - 0.6 * c))
        features.append(f), losses.append(loss), arms.append(arm), predictions.append(y[arm])
        history = numpy.array(losses, dtype=float)
        big, span = history.max(), history.max() - history.min()
        scale = big * (2 + 4 * span / big * (1 + numpy.log(m)))
        own = numpy.array(arms) == arm
        theta[arm] = numpy.linalg.lstsq(numpy.array(features)[own], (history[own] - 1) / scale, rcond=None)[0]
        t = len(losses)
        alpha = (numpy.pi + 2 / numpy.pi * numpy.log(2 * m + 1)) / (2 * scale * (m + 1)) * span
        below = ((numpy.array(predictions) - history / scale) ** 2).sum() + 2 * alpha**2 * t
        eta = 2 * t * numpy.sqrt(d * t / below) if below > 0 else 0.0

    for _ in range(rounds):
        one()
    return one


serve({"tsallis": tsallis, "cheb": cheb})

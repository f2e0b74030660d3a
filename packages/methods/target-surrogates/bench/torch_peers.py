"""Surrogate steps in target space on PyTorch: an MLP with SGD, Adam and L-BFGS inside, and a linear model."""

import torch
from offprint_bench import serve

torch.set_num_threads(1)


def surrogate(model, x, z0, g, eta):
    change = model(x) - z0
    return ((g * change).sum() + (change * change).sum() / (2 * eta)) / len(x)


def inner(batch, inputs, hidden, outputs, optimizer, steps):
    torch.manual_seed(0)
    layers = (torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, outputs))
    model = torch.nn.Sequential(*layers)
    x = torch.randn(batch, inputs)
    y = torch.randint(0, outputs, (batch,))

    def run():
        with torch.no_grad():
            z0 = model(x)
            g = torch.softmax(z0, 1) - torch.nn.functional.one_hot(y, outputs)
        kinds = {
            "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
            "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
            "lbfgs": lambda p: torch.optim.LBFGS(p, max_iter=steps, line_search_fn="strong_wolfe"),
        }
        chosen = kinds[optimizer](model.parameters())

        def closure():
            chosen.zero_grad()
            q = surrogate(model, x, z0, g, 1.0)
            q.backward()
            return q

        for _ in range(1 if optimizer == "lbfgs" else steps):
            chosen.step(closure)

    return run


def linear(batch, features, calls, steps, loss="logistic"):
    torch.manual_seed(0)
    x = torch.randn(batch, features, dtype=torch.float64)
    y = (torch.rand(batch, 1) < 0.5).double()
    predicted = torch.sigmoid if loss == "logistic" else lambda z: z

    def run():
        w = torch.zeros(features, 1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.01)
        for _ in range(calls):
            with torch.no_grad():
                z0 = x @ w
                g = predicted(z0) - y
            for _ in range(steps):
                optimizer.zero_grad()
                change = x @ w - z0
                q = ((g * change).sum() + (change * change).sum() / 8) / batch
                q.backward()
                optimizer.step()

    return run


serve({"inner": inner, "linear": linear})

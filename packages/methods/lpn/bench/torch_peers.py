"""A training step of a dense learned proximal network in PyTorch, forward, gradient in y and second-order backward."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)


def step(case):
    n, hidden, batch, beta, alpha = case["n"], case["hidden"], case["batch"], 10.0, 0.01
    torch.manual_seed(0)
    skips = [torch.nn.Linear(n, h) for h in hidden] + [torch.nn.Linear(n, 1)]
    sizes = [*hidden, 1]
    convex = [torch.nn.Parameter(torch.exp(torch.randn(a, b) * 0.1 - torch.log(torch.tensor(float(a))))) for a, b in zip(sizes, sizes[1:])]
    params = [p for s in skips for p in s.parameters()] + convex
    optimizer = torch.optim.Adam(params, lr=1e-3)
    x = torch.rand(batch, n)

    def psi(y):
        z = torch.nn.functional.softplus(skips[0](y), beta=beta)
        for k, w in enumerate(convex):
            a = z @ w + skips[k + 1](y)
            z = torch.nn.functional.softplus(a, beta=beta) if k + 1 < len(convex) else a
        return z[:, 0] + alpha * (y * y).sum(1)

    def run():
        optimizer.zero_grad()
        y = (x + 0.1 * torch.randn_like(x)).requires_grad_()
        f = torch.autograd.grad(psi(y).sum(), y, create_graph=True)[0]
        loss = (1 - torch.exp(-((f - x) ** 2).sum(1) / 1.6**2)).mean()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for w in convex:
                w.clamp_(min=0)

    return run


serve({"step": step})

"""Products with the Hessian in PyTorch, and SciPy's eigsh on them with as many products as twenty Lanczos steps."""
import numpy
import torch
from offprint_bench import serve
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

torch.set_num_threads(1)


def setting(sizes, batch, dtype):
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    n, hidden, m = sizes
    shapes = [(n, hidden), (hidden,), (hidden, m), (m,)]
    params = [(0.1 * torch.randn(shape, dtype=kind)).requires_grad_() for shape in shapes]
    x, y = torch.randn(batch, n, dtype=kind), torch.randint(0, m, (batch,))
    count = sum(p.numel() for p in params)
    v = torch.sin(torch.arange(1, count + 1, dtype=kind))

    def gradient():
        w0, b0, w1, b1 = params
        loss = torch.nn.functional.cross_entropy(torch.tanh(x @ w0 + b0) @ w1 + b1, y)
        slope = torch.autograd.grad(loss, params, create_graph=True)
        return torch.cat([g.reshape(-1) for g in slope])

    def apply(vector, flat=None):
        if flat is None:
            product = torch.autograd.grad(gradient() @ vector, params)
        else:
            product = torch.autograd.grad(flat, params, vector, retain_graph=True)
        return torch.cat([g.reshape(-1) for g in product])

    return apply, v, count, gradient


def product(sizes, batch, dtype):
    apply, v, _, _ = setting(sizes, batch, dtype)
    return lambda: apply(v)


def product_of_kept(sizes, batch, dtype):
    apply, v, _, gradient = setting(sizes, batch, dtype)
    flat = gradient()
    return lambda: apply(v, flat)


def eigsh_case(sizes, batch, dtype):
    apply, v, count, _ = setting(sizes, batch, dtype)
    operator = LinearOperator((count, count), lambda x: apply(torch.from_numpy(x.ravel()).to(v.dtype)).numpy(), dtype=dtype)

    def run():
        try:
            eigsh(operator, k=1, ncv=20, maxiter=1, tol=0, v0=v.numpy())
        except ArpackNoConvergence:
            pass

    return run


serve({"product": product, "product of kept": product_of_kept, "eigsh": eigsh_case})

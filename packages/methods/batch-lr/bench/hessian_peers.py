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

    def apply(vector):
        w0, b0, w1, b1 = params
        loss = torch.nn.functional.cross_entropy(torch.tanh(x @ w0 + b0) @ w1 + b1, y)
        slope = torch.autograd.grad(loss, params, create_graph=True)
        flat = torch.cat([g.reshape(-1) for g in slope])
        product = torch.autograd.grad(flat @ vector, params)
        return torch.cat([g.reshape(-1) for g in product])

    return apply, v, count


def product(sizes, batch, dtype):
    apply, v, _ = setting(sizes, batch, dtype)
    return lambda: apply(v)


def eigsh_case(sizes, batch, dtype):
    apply, v, count = setting(sizes, batch, dtype)
    operator = LinearOperator((count, count), lambda x: apply(torch.from_numpy(x.ravel()).to(v.dtype)).numpy(), dtype=dtype)

    def run():
        try:
            eigsh(operator, k=1, ncv=20, maxiter=1, tol=0, v0=v.numpy())
        except ArpackNoConvergence:
            pass

    return run


serve({"product": product, "eigsh": eigsh_case})

"""The experts' least squares by SciPy, one by one; a step of training by PyTorch."""

import numpy as np
import torch
from scipy.optimize import least_squares

from offprint_bench import serve

NU, LENGTH, END, RIDGE = 0.02, 4.0, 1.0, 0.1


def terms(basis, initial, xp):
    """u, ut, ux, uxx of the shaped basis, and those of the initial condition, as arrays [batch, times, points, N + 1]."""
    times, points = basis.shape[1], basis.shape[2]
    t = xp.linspace(0, 1, times, dtype=xp.float64).reshape(1, times, 1, 1)
    return derivatives(xp.concatenate([t * basis, initial[:, None, :, None] + 0 * basis[..., :1]], -1), xp)


def derivatives(all_, xp):
    """u, ut, ux, uxx of functions `[batch, times, points, n]`."""
    times, points = all_.shape[1], all_.shape[2]
    h, dt = LENGTH / points, END / (times - 1)

    def roll(a, shift):
        return xp.roll(a, shift, 2)

    ut = xp.concatenate(
        [
            (-1.5 * all_[:, :1] + 2 * all_[:, 1:2] - 0.5 * all_[:, 2:3]) / dt,
            (all_[:, 2:] - all_[:, :-2]) / (2 * dt),
            (1.5 * all_[:, -1:] - 2 * all_[:, -2:-1] + 0.5 * all_[:, -3:-2]) / dt,
        ],
        1,
    )
    ux = (roll(all_, -1) - roll(all_, 1)) / (2 * h)
    uxx = (roll(all_, -1) + roll(all_, 1) - 2 * all_) / h**2
    return all_, ut, ux, uxx


def blocks(fields, experts):
    batch, times, points, n = fields[0].shape
    return [
        f.reshape(batch, times, experts, points // experts, n).swapaxes(1, 2).reshape(batch, experts, -1, n) for f in fields
    ]


def solve(data):
    basis, initial = np.array(data["basis"]), np.array(data["initial"])
    experts = data["experts"]

    def run():
        u, ut, ux, uxx = blocks(terms(basis, initial, np), experts)
        weights = []
        for b in range(u.shape[0]):
            for k in range(experts):
                U, T, X, XX = (f[b, k] for f in (u, ut, ux, uxx))

                def values(w):
                    w1 = np.append(w, 1.0)
                    return np.concatenate([T @ w1 + (U @ w1) * (X @ w1) - NU * (XX @ w1), RIDGE * w])

                def jacobian(w):
                    w1 = np.append(w, 1.0)
                    J = T + (X @ w1)[:, None] * U + (U @ w1)[:, None] * X - NU * XX
                    return np.concatenate([J[:, :-1], RIDGE * np.eye(len(w))])

                weights.append(least_squares(values, np.zeros(U.shape[1] - 1), jac=jacobian, method="lm", gtol=1e-8).x)
        return weights

    return run


class Fourier(torch.nn.Module):
    """The Fourier neural operator of the method's default, in float64."""

    def __init__(self, inputs, basis, width, layers, modes, hidden):
        super().__init__()
        self.modes = modes
        self.lift = torch.nn.Linear(inputs, width)
        scale = (2 / (width + width)) ** 0.5
        weight = lambda: torch.nn.Parameter(scale * torch.randn(2, width, width, *modes, dtype=torch.cdouble))
        self.spectral = torch.nn.ParameterList([weight() for _ in range(layers)])
        self.direct = torch.nn.ModuleList([torch.nn.Linear(width, width) for _ in range(layers)])
        self.inner = torch.nn.Linear(width, hidden)
        self.last = torch.nn.Linear(hidden, basis)
        self.double()

    def forward(self, x):
        """`[batch, times, points, inputs]` to `[batch, times, points, basis]`."""
        gelu = lambda v: torch.nn.functional.gelu(v, approximate="tanh")
        m, n = self.modes
        x = self.lift(x)
        for weight, direct in zip(self.spectral, self.direct):
            modes = torch.fft.rfft2(x, dim=(1, 2))
            out = torch.zeros_like(modes)
            out[:, :m, :n] = torch.einsum("bxyi,ioxy->bxyo", modes[:, :m, :n], weight[0])
            out[:, -m:, :n] = torch.einsum("bxyi,ioxy->bxyo", modes[:, -m:, :n], weight[1])
            x = gelu(torch.fft.irfft2(out, s=x.shape[1:3], dim=(1, 2)) + direct(x))
        return gelu(self.last(gelu(self.inner(x))))


def step(data):
    """A step of training: iterations without gradients, then the implicit one with the whole Hessian."""
    initial = torch.tensor(data["initial"], dtype=torch.float64)
    experts, iterations = data["experts"], data["iterations"]
    batch, points = initial.shape
    times, n = 16, 8
    network = Fourier(4, n, 16, 3, (6, 6), 32)
    adam = torch.optim.Adam(network.parameters(), 2e-3)
    x = 2 * torch.pi * torch.arange(points, dtype=torch.float64) / points
    t = torch.linspace(0, 1, times, dtype=torch.float64)
    channels = [t[:, None], torch.sin(x)[None], torch.cos(x)[None], initial[:, None]]
    inputs = torch.stack([c.expand(batch, times, points) for c in channels], -1)

    def residual(fields, w):
        w1 = torch.cat([w, torch.ones_like(w[..., :1])], -1)[..., None]
        U, T, X, XX = ((f @ w1)[..., 0] for f in fields)
        return U, X, T + U * X - NU * XX

    def jacobian(fields, U, X):
        u, ut, ux, uxx = fields
        return (ut + X[..., None] * u + U[..., None] * ux - NU * uxx)[..., :-1]

    def gradient(fields, w):
        U, X, r = residual(fields, w)
        return (jacobian(fields, U, X).mT @ r[..., None])[..., 0] + RIDGE**2 * w

    def solve(fields):
        w = torch.zeros(batch, experts, n, dtype=torch.float64)
        lam = torch.full((batch, experts), 1e-2, dtype=torch.float64)
        eye = RIDGE**2 * torch.eye(n, dtype=torch.float64)
        U, X, r = residual(fields, w)
        cost = (r**2).sum(-1)
        for _ in range(iterations):
            J = jacobian(fields, U, X)
            H = J.mT @ J + eye
            g = (J.mT @ r[..., None])[..., 0] + RIDGE**2 * w
            damped = H + torch.diag_embed(lam[..., None] * torch.diagonal(H, dim1=-2, dim2=-1))
            trial = w - torch.cholesky_solve(g[..., None], torch.linalg.cholesky(damped))[..., 0]
            found = residual(fields, trial)
            new = (found[2] ** 2).sum(-1) + (RIDGE * trial).pow(2).sum(-1)
            better = new < cost
            w = torch.where(better[..., None], trial, w)
            U, X, r = (torch.where(better[..., None], a, b) for a, b in zip(found, (U, X, r)))
            cost = torch.where(better, new, cost)
            lam = torch.where(better, lam / 10, lam * 10)
        return w

    def run():
        basis = network(inputs)
        shaped = terms(basis, initial, torch)
        fields = blocks(shaped, experts)
        with torch.no_grad():
            w = solve(fields)
            U, X, r = residual(fields, w)
            J = jacobian(fields, U, X)
            Q = (fields[0] * r[..., None]).mT[..., :-1, :] @ fields[2][..., :-1]
            H = J.mT @ J + Q + Q.mT + RIDGE**2 * torch.eye(n, dtype=torch.float64)
        w = w - torch.linalg.solve(H, gradient(fields, w)[..., None])[..., 0]
        one = torch.cat([w, torch.ones_like(w[..., :1])], -1)
        part = (fields[0] @ one[..., None])[..., 0]
        u = part.reshape(batch, experts, times, points // experts).transpose(1, 2).reshape(batch, times, points, 1)
        _, ut, ux, uxx = (f[..., 0] for f in derivatives(u, torch))
        whole = ut + u[..., 0] * ux - NU * uxx
        loss = whole.flatten(1).norm(dim=1).mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1)
        adam.step()
        return float(loss)

    return run


serve({"solve": solve, "step": step})

"""PyTorch doing what refiner.bench.ts times."""

import math

import torch
from offprint_bench import serve

torch.set_num_threads(1)


def refinement(n, frames, modes, iterations):
    """L-BFGS on the residual of a trajectory in the norm of order -1."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    length, dt, nu, shift = frames + 12, 0.2, 1e-3, 10**-1.5
    k = torch.fft.fftfreq(n, 1 / n) * 2 * math.pi
    kr = torch.fft.rfftfreq(n, 1 / n) * 2 * math.pi
    kx, ky = k[:, None], kr[None, :]
    squared = kx**2 + ky**2
    inverse = torch.where(squared == 0, 0.0, 1 / torch.where(squared == 0, 1.0, squared))
    keep = ((abs(kx) <= 2 / 3 * math.pi * n) & (abs(ky) <= 2 / 3 * math.pi * n)).double()
    weight = (shift + squared) ** -1 / n**4
    weight[:, 1:-1] *= 2
    last = torch.randn(n, n)
    last = last / 10
    omega = 2j * math.pi * torch.arange(modes) / (length * dt)

    def frames_of(c):
        full = torch.zeros(n, n, length // 2 + 1, dtype=torch.complex128)
        full[..., :modes] = c
        return torch.fft.irfftn(full, s=(n, n, length), dim=(0, 1, 2))[..., -frames - 1 :]

    wave = torch.fft.fftfreq(n, 1 / n)[:, None] ** 2 + torch.fft.fftfreq(n, 1 / n)[None, :] ** 2
    decay = (nu * 4 * math.pi**2 * wave[..., None]) ** 2
    scale = n * n * length / torch.sqrt((abs(omega) ** 2 + decay + 1) / (shift + 4 * math.pi**2 * wave[..., None]))
    scale[0, 0] = 0

    def loss_of(parts):
        coefficients = scale * torch.view_as_complex(parts)
        change = frames_of(coefficients)
        w = torch.fft.rfft2((change + last[..., None]).permute(2, 0, 1))
        rate = torch.fft.rfft2(frames_of(coefficients * omega).permute(2, 0, 1))
        psi = w * inverse
        u, v, wx, wy = torch.fft.irfft2(torch.stack([1j * ky * psi, -1j * kx * psi, 1j * kx * w, 1j * ky * w]), s=(n, n))
        residual = rate + keep * torch.fft.rfft2(u * wx + v * wy) + nu * squared * w
        return (weight * abs(residual) ** 2).sum((1, 2)).mean() + (change[..., 0] ** 2).mean()

    def run():
        torch.set_default_dtype(torch.float64)
        parts = torch.zeros(n, n, modes, 2).requires_grad_()
        optimizer = torch.optim.LBFGS(
            [parts], max_iter=iterations, max_eval=10**6, history_size=20, line_search_fn="strong_wolfe",
            tolerance_grad=1e-8, tolerance_change=0,
        )

        def closure():
            optimizer.zero_grad()
            loss = loss_of(parts)
            loss.backward()
            return loss

        optimizer.step(closure)

    return run


def step(n, batch, frames, width, spatial, time, layers):
    """A step of Adam of the network."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float32)
    nn = torch.nn

    class Spectral(nn.Module):
        def __init__(self, channels):
            super().__init__()
            shape = (channels, channels, 2 * spatial, 2 * spatial, time, 2)
            self.weight = nn.Parameter(torch.rand(shape) * 0.5 / channels**2)

        def forward(self, x, length):
            s = torch.fft.rfftn(x, dim=(-3, -2, -1))
            out = torch.zeros(*s.shape[:-1], length // 2 + 1, dtype=s.dtype)
            weight = torch.view_as_complex(self.weight)
            m = spatial
            for i, a in enumerate((slice(0, m), slice(-m, None))):
                for j, b in enumerate((slice(0, m), slice(-m, None))):
                    block = weight[:, :, i * m : i * m + m, j * m : j * m + m]
                    out[:, :, a, b, :time] = torch.einsum("bixyt,ioxyt->boxyt", s[:, :, a, b, :time], block)
            return torch.fft.irfftn(out, s=(n, n, length), dim=(-3, -2, -1))

    def mlp():
        return nn.Sequential(nn.Conv3d(width, 4 * width, 1), nn.ReLU(), nn.Conv3d(4 * width, width, 1))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.project = nn.GroupNorm(1, width, eps=1e-7), nn.Conv3d(width, width, 1)
            self.spectral = nn.ModuleList(Spectral(width) for _ in range(layers))
            self.mlp = nn.ModuleList(mlp() for _ in range(layers))
            self.skip = nn.ModuleList(nn.Conv3d(width, width, 1) for _ in range(layers - 1))
            self.latent, self.output = nn.Conv3d(width, 1, 1), Spectral(1)
            self.encodings = torch.rand(1, width, n, n, frames)

        def forward(self, v):
            h = self.project(self.norm(v + self.encodings))
            h = torch.relu(h[..., -1:] + self.mlp[0](self.spectral[0](h, 10)))
            for i in range(1, layers):
                h = torch.relu(self.mlp[i](self.spectral[i](h, 10)) + self.skip[i - 1](h))
            z = torch.cat([v[..., -1:], self.latent(h)], -1)
            z = nn.functional.pad(z, (11, 0))
            return v[..., -1:] + self.output(z, frames + 12)[..., -frames:]

    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    x, y = torch.randn(2, batch, 1, n, n, frames)

    def run():
        torch.set_default_dtype(torch.float32)
        optimizer.zero_grad()
        out = net(x)
        loss = (((out - y) ** 2).sum((1, 2, 3, 4)).sqrt() / (y**2).sum((1, 2, 3, 4)).sqrt()).mean()
        loss.backward()
        optimizer.step()

    return run


serve({"refinement": refinement, "step": step})

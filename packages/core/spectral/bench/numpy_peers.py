"""NumPy and PyTorch doing what spectral.bench.ts times."""

import numpy
from offprint_bench import serve


def flow(n, batch, steps):
    nu, dt = 1e-3, 0.01
    k = numpy.fft.fftfreq(n, 1 / n)
    kr = numpy.fft.rfftfreq(n, 1 / n)
    kx, ky = 2 * numpy.pi * k[:, None], 2 * numpy.pi * kr[None, :]
    squared = kx**2 + ky**2
    inverse = numpy.where(squared == 0, 0, 1 / numpy.where(squared == 0, 1, squared))
    keep = (abs(kx) <= 2 * numpy.pi * n / 3) & (abs(ky) <= 2 * numpy.pi * n / 3)
    linear = -nu * squared
    rng = numpy.random.default_rng(0)
    start = numpy.fft.rfft2(rng.standard_normal((batch, n, n)) * 0.1)
    ax, ay = 1j * kx * numpy.ones_like(ky), 1j * ky * numpy.ones_like(kx)

    def nonlinear(w):
        psi = w * inverse
        u, v, wx, wy = numpy.fft.irfft2(numpy.stack([ay * psi, -ax * psi, ax * w, ay * w]))
        return -1.0 * keep * numpy.fft.rfft2(u * wx + v * wy)

    def run():
        w = start
        for _ in range(steps):
            g = w + dt / 2 * linear * w
            h = nonlinear(w)
            first = (g + dt * h) / (1 - dt / 2 * linear)
            w = (g + dt / 2 * (nonlinear(first) + h)) / (1 - dt / 2 * linear)
        return w

    return run


def layer(batch, channels, n, frames, modes, spatial):
    import torch

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    shape = (channels, channels, 2 * spatial, 2 * spatial, modes)
    weight = torch.randn(shape, dtype=torch.complex64, generator=generator).requires_grad_()
    x = torch.randn(batch, channels, n, n, frames, generator=generator).requires_grad_()
    m = spatial

    def run():
        s = torch.fft.rfftn(x, dim=(-3, -2, -1))
        out = torch.zeros_like(s)
        low = lambda a, b: (slice(None), slice(None), a, b, slice(0, modes))
        first, last = slice(0, m), slice(-m, None)
        for i, a in enumerate((first, last)):
            for j, b in enumerate((first, last)):
                block = weight[:, :, i * m : i * m + m, j * m : j * m + m]
                out[low(a, b)] = torch.einsum("bixyt,ioxyt->boxyt", s[low(a, b)], block)
        y = torch.fft.irfftn(out, s=(n, n, frames), dim=(-3, -2, -1))
        return torch.autograd.grad((y**2).sum(), (x, weight))

    return run


serve({"flow": flow, "layer": layer})

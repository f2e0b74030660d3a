"""The same networks and fits in PyTorch, one thread, and qhull's half-space intersections."""
import math

import numpy
import torch
from offprint_bench import serve

torch.set_num_threads(1)
functional = torch.nn.functional


class Network(torch.nn.Module):
    def __init__(self, dim, resolution, ef, hidden, planes, convexes):
        super().__init__()
        conv = torch.nn.Conv2d if dim == 2 else torch.nn.Conv3d
        halvings = int(math.log2(resolution)) - 2
        widths = [1] + [ef * min(8, 2**i) for i in range(halvings)]
        layers = [conv(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:])]
        self.convs = torch.nn.ModuleList(layers + [conv(widths[-1], 8 * ef, 4)])
        sizes = [8 * ef, *hidden, (dim + 1) * planes]
        self.linears = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.t = torch.nn.Parameter(torch.randn(planes, convexes) * 0.02)
        self.w = torch.nn.Parameter(torch.randn(convexes, 1) * 0.02 + 1e-5)
        self.dim, self.planes = dim, planes

    def forward(self, x, points, phase):
        for layer in self.convs[:-1]:
            x = functional.leaky_relu(layer(x), 0.01)
        x = self.convs[-1](x).flatten(1)
        x = functional.leaky_relu(x, 0.01) if self.dim == 2 else torch.sigmoid(x)
        for i, layer in enumerate(self.linears):
            x = layer(x) if i == len(self.linears) - 1 else functional.leaky_relu(layer(x), 0.01)
        d = torch.relu(points @ x.view(-1, self.dim + 1, self.planes))
        if phase == 0:
            return torch.clamp(torch.clamp(1 - d @ self.t, 0, 1) @ self.w, 0, 1)
        return (d @ (self.t > 0.01).float()).min(2, keepdim=True)[0]


def training_step(dim, resolution, ef, hidden, planes, convexes, batch, n, phase):
    torch.manual_seed(0)
    net = Network(dim, resolution, ef, hidden, planes, convexes)
    if phase > 0:
        net.t.data.uniform_(-0.3, 0.3)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.5, 0.999))
    x = (torch.rand(batch, 1, *[resolution] * dim) < 0.3).float()
    points = torch.cat([torch.rand(batch, n, dim) - 0.5, torch.ones(batch, n, 1)], 2)
    v = (torch.rand(batch, n, 1) < 0.3).float()

    def step():
        optimizer.zero_grad()
        s = net(x, points, phase)
        if phase == 0:
            loss = ((v - s) ** 2).mean() + (net.w - 1).abs().sum()
            loss = loss + (torch.clamp(net.t - 1, min=0) - torch.clamp(net.t, max=0)).sum()
        else:
            loss = ((1 - v) * (1 - torch.clamp(s, max=1)) + v * torch.clamp(s, min=0)).mean()
        loss.backward()
        optimizer.step()

    return step


def inside_chair(p):
    c, s = math.cos(0.4), math.sin(0.4)
    x, y, z = c * p[:, 0] - s * p[:, 2], p[:, 1], s * p[:, 0] + c * p[:, 2]
    legs = [(0.1, 0.35, 0.1, a * 0.25, -0.225, b * 0.25) for a in (1, -1) for b in (1, -1)]
    result = torch.zeros(len(p), dtype=torch.bool)
    for w, h, d, cx, cy, cz in [(0.6, 0.1, 0.6, 0, 0, 0), (0.6, 0.4, 0.08, 0, 0.25, -0.26), *legs]:
        result |= ((x - cx).abs() < w / 2) & ((y - cy).abs() < h / 2) & ((z - cz).abs() < d / 2)
    return result


def fit_steps(convexes, per_convex, points, steps):
    """Steps of the fit of one shape, dense, in the middle of the anneal."""
    torch.manual_seed(0)
    centres = torch.rand(convexes, 1, 3) * 0.6 - 0.3
    normals = functional.normalize(torch.randn(convexes, per_convex, 3), dim=2)
    offsets = -(normals * centres).sum(2, keepdim=True) - 0.1
    planes = torch.cat([normals, offsets], 2).requires_grad_()
    optimizer = torch.optim.Adam([planes], lr=5e-3)
    pool = torch.rand(100_000, 3) - 0.5
    values = inside_chair(pool).float()
    one = torch.ones(points, 1)

    def run():
        for _ in range(steps):
            k = torch.randint(len(pool), (points,))
            x, v = torch.cat([pool[k], one], 1), values[k]
            d = torch.relu(60 * (x @ planes.reshape(-1, 4).T)).reshape(points, convexes, per_convex).sum(2)
            s = d.min(1)[0]
            loss = ((1 - v) * (1 - torch.clamp(s, max=1)) + v * s).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def intersections(rows):
    """qhull's vertices and faces of each convex; scipy takes the planes and a point inside."""
    import scipy.spatial

    planes = numpy.array(rows).reshape(len(rows), -1, 4)
    box = numpy.array([[s * (i == k) for i in range(3)] + [-1] for k in range(3) for s in (1, -1)])
    centres = [numpy.linalg.lstsq(p[:, :3], -p[:, 3] - 0.2, rcond=None)[0] for p in planes]

    def run():
        for p, centre in zip(planes, centres):
            found = scipy.spatial.HalfspaceIntersection(numpy.concatenate([p, box]), centre)
            scipy.spatial.ConvexHull(found.intersections)

    return run


serve({"training_step": training_step, "fit_steps": fit_steps, "intersections": intersections})

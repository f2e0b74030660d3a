"""The same networks and training steps in PyTorch, one thread: eager, with autograd functions for the two signs."""
import math

import torch
from offprint_bench import serve
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


class ActivationSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (2 - 2 * x.abs()).clamp(min=0) * g


class WaveSign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w, omega):
        ctx.save_for_backward(w)
        ctx.omega = omega
        return torch.sign(torch.sin(omega * w))

    @staticmethod
    def backward(ctx, g):
        (w,) = ctx.saved_tensors
        return ctx.omega * torch.cos(ctx.omega * w) * g, None


class BinaryConv(nn.Module):
    def __init__(self, inputs, outputs, strides, stage, omega=20.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) * math.sqrt(2 / (9 * inputs)))
        self.alpha = nn.Parameter(torch.rand(outputs, 1, 1))
        self.strides, self.stage, self.omega = strides, stage, omega

    def forward(self, x):
        a = ActivationSign.apply(x / torch.sqrt(x.var((1, 2, 3), keepdim=True) + 1e-5))
        w = torch.sin(self.omega * self.weight) if self.stage == 1 else WaveSign.apply(self.weight, self.omega)
        return F.conv2d(a, w, stride=self.strides, padding=1) * self.alpha

    def penalty(self):
        return torch.sin(self.omega * self.weight).square().mean()


class Unit(nn.Module):
    """hardtanh(BN(bconv(x)) + shortcut(x))"""

    def __init__(self, inputs, outputs, strides, stage, shortcut=True):
        super().__init__()
        self.conv, self.bn = BinaryConv(inputs, outputs, strides, stage), nn.BatchNorm2d(outputs)
        self.shortcut, self.pad = shortcut, (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn(self.conv(x))
        if self.shortcut:
            y = y + (F.pad(F.avg_pool2d(x, 2), (0, 0, 0, 0, self.pad, self.pad)) if self.pad else x)
        return F.hardtanh(y)


class Network(nn.Module):
    def __init__(self, channels, width, units, features):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.units = nn.Sequential(*units)
        self.norm, self.linear = nn.BatchNorm1d(features), nn.Linear(features, 10)

    def forward(self, x):
        h = self.units(F.hardtanh(self.bn(self.conv(x))))
        return self.linear(self.norm(h.mean((2, 3))))


def small(stage):
    return Network(1, 16, [Unit(16, 16, 1, stage), Unit(16, 32, 2, stage, False), Unit(32, 32, 1, stage)], 32)


def resnet20(stage):
    units, inputs = [], 16
    for outputs in (16, 32, 64):
        for _ in range(3):
            units += [Unit(inputs, outputs, 1 if inputs == outputs else 2, stage), Unit(outputs, outputs, 1, stage)]
            inputs = outputs
    return Network(3, 16, units, 64)


def step(name, stage, batch):
    torch.manual_seed(0)
    net = {"small": small, "resnet20": resnet20}[name](stage)
    layers = [m for m in net.modules() if isinstance(m, BinaryConv)]
    x = torch.randn(batch, 1, 8, 8) if name == "small" else torch.randn(batch, 3, 32, 32)
    y = torch.randint(0, 10, (batch,))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def run():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y) + 0.037 * sum(layer.penalty() for layer in layers)
        loss.backward()
        optimizer.step()

    return run


def conv(channels, side):
    x, w = torch.randn(1, channels, side, side), torch.randn(channels, channels, 3, 3)

    def run():
        with torch.no_grad():
            F.conv2d(x, w, padding=1)

    return run


serve({"step": step, "conv": conv})

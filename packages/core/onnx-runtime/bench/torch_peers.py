import torch
from offprint_bench import serve
from torch_models import descend, perceptron


def cnn(batch):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64, 10),
    )
    x = torch.rand(batch, 1, 8, 8)
    y = torch.randint(0, 10, (batch,))
    return descend(net.parameters(), lambda: torch.nn.functional.cross_entropy(net(x), y))


def transformer(d, heads, length, batch):
    torch.manual_seed(0)
    scale = 0.05
    p = {
        "qkv": torch.randn(d, 3 * d) * scale,
        "out": torch.randn(d, d) * scale,
        "up": torch.randn(d, 4 * d) * scale,
        "down": torch.randn(4 * d, d) * scale,
        "g1": torch.ones(d),
        "b1": torch.zeros(d),
        "g2": torch.ones(d),
        "b2": torch.zeros(d),
    }
    for w in p.values():
        w.requires_grad_()
    x = torch.randn(batch, length, d)
    f = torch.nn.functional

    def block():
        h = f.layer_norm(x, (d,), p["g1"], p["b1"])
        q, k, v = (h @ p["qkv"]).view(batch, length, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        a = torch.softmax(q @ k.transpose(-1, -2) / (d // heads) ** 0.5, -1) @ v
        y = x + a.transpose(1, 2).reshape(batch, length, d) @ p["out"]
        h = f.layer_norm(y, (d,), p["g2"], p["b2"])
        return y + torch.relu(h @ p["up"]) @ p["down"]

    return descend(p.values(), lambda: (block() ** 2).mean())


serve({"mlp": perceptron, "cnn": cnn, "transformer": transformer})

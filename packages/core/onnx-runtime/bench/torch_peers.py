import torch
from offprint_bench import serve

torch.set_num_threads(1)


def mlp(sizes, batch, rate=0.01):
    torch.manual_seed(0)
    weights = []
    for m, n in zip(sizes, sizes[1:]):
        weights.append((torch.randn(m, n) * 0.05).requires_grad_())
        weights.append(torch.zeros(n).requires_grad_())
    x = torch.randn(batch, sizes[0])
    y = torch.randint(0, sizes[-1], (batch,))

    def step():
        h = x
        for i in range(0, len(weights), 2):
            h = h @ weights[i] + weights[i + 1]
            if i + 2 < len(weights):
                h = torch.relu(h)
        loss = torch.nn.functional.cross_entropy(h, y)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, g in zip(weights, gradients):
                w -= rate * g

    return step


def cnn(batch, rate=0.01):
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
    weights = list(net.parameters())

    def step():
        loss = torch.nn.functional.cross_entropy(net(x), y)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, g in zip(weights, gradients):
                w -= rate * g

    return step


def transformer(d, heads, length, batch, rate=0.01):
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

    def step():
        loss = (block() ** 2).mean()
        gradients = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for w, g in zip(p.values(), gradients):
                w -= rate * g

    return step


serve({"mlp": mlp, "cnn": cnn, "transformer": transformer})

"""What several benchmarks train in PyTorch, on one thread."""

import torch

torch.set_num_threads(1)


def descend(weights, loss, rate=0.01):
    """A step of gradient descent."""
    weights = list(weights)

    def step():
        gradients = torch.autograd.grad(loss(), weights)
        with torch.no_grad():
            for w, g in zip(weights, gradients):
                w -= rate * g

    return step


def perceptron(sizes, batch):
    """A step of a perceptron with layers of the given sizes."""
    torch.manual_seed(0)
    weights = []
    for m, n in zip(sizes, sizes[1:]):
        weights.append((torch.randn(m, n) * 0.05).requires_grad_())
        weights.append(torch.zeros(n).requires_grad_())
    x = torch.randn(batch, sizes[0])
    y = torch.randint(0, sizes[-1], (batch,))

    def loss():
        h = x
        for i in range(0, len(weights), 2):
            h = h @ weights[i] + weights[i + 1]
            if i + 2 < len(weights):
                h = torch.relu(h)
        return torch.nn.functional.cross_entropy(h, y)

    return descend(weights, loss)

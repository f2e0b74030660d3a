"""The same models in PyTorch, one thread: sparse CSR products for GCN and SAGE, index_add for GAT, torch's Adam."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)
HIDDEN = 128
HEADS = 4


def graph(nodes, edges):
    """A random undirected graph with about as many directed edges."""
    torch.manual_seed(0)
    half = torch.randint(0, nodes, (2, edges // 2))
    return torch.cat([half, half.flip(0)], 1)


def with_loops(ends, nodes):
    loops = torch.arange(nodes)
    return torch.cat([ends, torch.stack([loops, loops])], 1)


def normalised(ends, nodes):
    s, t = with_loops(ends, nodes)
    degree = torch.zeros(nodes).index_add_(0, t, torch.ones(len(t)))
    values = degree[s].rsqrt() * degree[t].rsqrt()
    return torch.sparse_coo_tensor(torch.stack([t, s]), values, (nodes, nodes)).coalesce().to_sparse_csr()


def averaging(ends, nodes):
    s, t = ends
    degree = torch.zeros(nodes).index_add_(0, t, torch.ones(len(t))).clamp(min=1)
    return torch.sparse_coo_tensor(ends.flip(0), 1 / degree[t], (nodes, nodes)).coalesce().to_sparse_csr()


class Product(torch.autograd.Function):
    """Sparse times dense with a gradient for the dense factor only, by the transposed matrix."""

    @staticmethod
    def forward(ctx, matrix, transposed, x):
        ctx.transposed = transposed
        return matrix @ x

    @staticmethod
    def backward(ctx, g):
        return None, None, ctx.transposed @ g


def transposed(matrix):
    return matrix.to_sparse_coo().t().coalesce().to_sparse_csr()


class Gcn(torch.nn.Module):
    def __init__(self, inputs, outputs, ends, nodes):
        super().__init__()
        self.linear = torch.nn.Linear(inputs, outputs)
        self.matrix = normalised(ends, nodes)
        self.back = transposed(self.matrix)
        self.narrow = outputs < inputs

    def forward(self, x):
        if self.narrow:
            h = torch.nn.functional.linear(x, self.linear.weight)
            return Product.apply(self.matrix, self.back, h) + self.linear.bias
        return self.linear(Product.apply(self.matrix, self.back, x))


class Sage(torch.nn.Module):
    def __init__(self, inputs, outputs, ends, nodes):
        super().__init__()
        self.near = torch.nn.Linear(inputs, outputs)
        self.own = torch.nn.Linear(inputs, outputs, bias=False)
        self.matrix = averaging(ends, nodes)
        self.back = transposed(self.matrix)
        self.narrow = outputs < inputs

    def forward(self, x):
        if self.narrow:
            h = torch.nn.functional.linear(x, self.near.weight)
            return Product.apply(self.matrix, self.back, h) + self.near.bias + self.own(x)
        return self.near(Product.apply(self.matrix, self.back, x)) + self.own(x)


class Gat(torch.nn.Module):
    def __init__(self, inputs, outputs, ends, nodes, mean=False):
        super().__init__()
        self.mean = mean
        self.width = outputs if mean else outputs // HEADS
        self.linear = torch.nn.Linear(inputs, HEADS * self.width, bias=False)
        self.source = torch.nn.Parameter(torch.randn(HEADS, self.width) * 0.1)
        self.target = torch.nn.Parameter(torch.randn(HEADS, self.width) * 0.1)
        self.bias = torch.nn.Parameter(torch.zeros(outputs))
        self.ends = with_loops(ends, nodes)

    def forward(self, x):
        s, t = self.ends
        nodes = len(x)
        z = self.linear(x).view(nodes, HEADS, self.width)
        e = (z * self.source).sum(-1)[s] + (z * self.target).sum(-1)[t]
        e = torch.nn.functional.leaky_relu(e, 0.2)
        at = t[:, None].expand(-1, HEADS)
        peak = torch.full((nodes, HEADS), -1e30).scatter_reduce(0, at, e.detach(), "amax")
        e = (e - peak[t]).exp()
        alpha = e / torch.zeros(nodes, HEADS).index_add(0, t, e)[t]
        y = torch.zeros(nodes, HEADS, self.width).index_add(0, t, z[s] * alpha[:, :, None])
        return (y.mean(1) if self.mean else y.flatten(1)) + self.bias


def convolution(kind, inputs, outputs, ends, nodes, last):
    if kind == "gat":
        return Gat(inputs, outputs, ends, nodes, mean=last)
    return (Gcn if kind == "gcn" else Sage)(inputs, outputs, ends, nodes)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3, weight_decay=5e-4)


def backpropagation(kind, nodes, edges, features, classes, layers):
    ends = graph(nodes, edges)
    widths = [features] + [HIDDEN] * (layers - 1) + [classes]
    net = torch.nn.ModuleList(
        convolution(kind, widths[i], widths[i + 1], ends, nodes, i == layers - 1) for i in range(layers)
    )
    x = torch.rand(nodes, features)
    y = torch.randint(0, classes, (nodes,))
    train = torch.arange(int(0.64 * nodes))
    optimizer = adam(net.parameters())

    def step():
        optimizer.zero_grad()
        h = x
        for i, layer in enumerate(net):
            h = layer(h if i == 0 else torch.relu(h))
        torch.nn.functional.cross_entropy(h[train], y[train]).backward()
        optimizer.step()

    return step


def augmented(nodes, edges, classes):
    ends = graph(nodes, edges)
    train = torch.arange(int(0.64 * nodes))
    y = torch.randint(0, classes, (nodes,))
    virtual = torch.stack([train, nodes + y[train]])
    return torch.cat([ends, virtual, virtual.flip(0)], 1), train, y


def local_step(layer, inputs, train, y, classes):
    optimizer = adam(layer.parameters())

    def step():
        optimizer.zero_grad()
        h = torch.relu(layer(inputs))
        logits = h[train] @ h[-classes:].T
        torch.nn.functional.cross_entropy(logits, y[train]).backward()
        optimizer.step()

    return step


def single_forward(nodes, edges, features, classes, cached):
    ends, train, y = augmented(nodes, edges, classes)
    x = torch.nn.functional.normalize(torch.rand(nodes + classes, HIDDEN))
    if not cached:
        return local_step(Gcn(HIDDEN, HIDDEN, ends, nodes + classes), x, train, y, classes)
    return local_step(torch.nn.Linear(HIDDEN, HIDDEN), normalised(ends, nodes + classes) @ x, train, y, classes)


def single_forward_gat(nodes, edges, features, classes):
    ends, train, y = augmented(nodes, edges, classes)
    x = torch.nn.functional.normalize(torch.rand(nodes + classes, HIDDEN))
    return local_step(Gat(HIDDEN, HIDDEN, ends, nodes + classes), x, train, y, classes)


serve({
    "backpropagation": backpropagation,
    "single_forward": single_forward,
    "single_forward_gat": single_forward_gat,
})

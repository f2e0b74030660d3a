"""Fixed points of several heads by SciPy's compressed rows, and a training step of the official formulation in PyTorch."""

import numpy
from offprint_bench import serve


def matrices(nodes, edges, heads):
    import scipy.sparse as sparse

    rng = numpy.random.default_rng(0)
    rows, columns = rng.integers(nodes, size=edges), rng.integers(nodes, size=edges)
    degree = numpy.maximum(numpy.bincount(rows, minlength=nodes), 1)[rows]
    made = [
        sparse.csr_matrix((rng.uniform(size=edges) / degree, (rows, columns)), shape=(nodes, nodes)) for _ in range(heads)
    ]
    return made, rng.normal(size=(heads, nodes))


def iterations(nodes, edges, heads, count):
    made, bias = matrices(nodes, edges, heads)

    def solve():
        h = numpy.zeros_like(bias)
        for _ in range(count):
            new = numpy.stack([0.9 * (a @ x) + b for a, x, b in zip(made, h, bias)])
            change = numpy.linalg.norm(new - h)
            h = new
        return h, change

    return solve


def transposed(nodes, edges, heads):
    made, bias = matrices(nodes, edges, heads)
    turned = [a.T.tocsr() for a in made]

    def both():
        forward = [0.9 * (a @ b) + b for a, b in zip(made, bias)]
        return [0.9 * (a @ y) for a, y in zip(turned, forward)]

    return both


def spsolve(nodes, edges, heads):
    import scipy.sparse as sparse
    from scipy.sparse.linalg import spsolve as solve

    made, bias = matrices(nodes, edges, heads)
    systems = [(sparse.identity(nodes) - 0.9 * a).tocsc() for a in made]
    return lambda: [solve(a, b) for a, b in zip(systems, bias)]


def torch_step(graphs, states, actions, heads, hidden):
    """The authors' formulation: dense A of every head, 50 iterations without a gradient, one with it, a hook for the adjoint."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    nodes, edges = graphs * states, graphs * states * actions
    target = torch.arange(edges) // actions
    source = (target // states) * states + torch.randint(states, (edges,))
    x, z = torch.ones(nodes, 1), torch.rand(edges, 1) * 2 - 1

    def mlp(*sizes):
        parts = []
        for a, b in zip(sizes[:-1], sizes[1:]):
            parts += [torch.nn.Linear(a, b), torch.nn.LeakyReLU()]
        return torch.nn.Sequential(*parts)

    def layer(n, e, out):
        return torch.nn.ModuleDict(
            {"edge": mlp(e + 2 * n, 64, out), "att": mlp(e + 2 * n, 64, 1), "node": mlp(out + n, 64, out)}
        )

    layers = torch.nn.ModuleList([layer(1, 1, hidden), layer(hidden, hidden, heads)])
    decoder = torch.nn.Sequential(mlp(heads, 64, 32), torch.nn.Linear(32, 1))
    degree = float(actions)

    def step():
        n, e = x, z
        for part in layers:
            joint = torch.cat([e, n[source], n[target]], 1)
            messages = part["edge"](joint)
            weight = part["att"](joint)
            weight = torch.exp(weight - weight.max())
            total = torch.zeros(nodes, 1).index_add(0, target, weight)
            arrived = torch.zeros(nodes, messages.shape[1]).index_add(0, target, messages * weight / total[target])
            n, e = part["node"](torch.cat([arrived, n], 1)), messages
        a = torch.zeros(heads, nodes, nodes)
        a[:, target, source] = (e.clamp(0, 1) / degree).T
        b = n.T.unsqueeze(-1)
        with torch.no_grad():
            h = torch.zeros_like(b)
            for _ in range(50):
                new = 0.5 * a @ h + b
                done = torch.norm(new - h) < 1e-6
                h = new
                if done:
                    break
        h = 0.5 * a @ h + b

        def adjoint(g):
            with torch.no_grad():
                y = g
                for _ in range(50):
                    new = g + 0.5 * a.transpose(1, 2) @ y
                    done = torch.norm(new - y) < 1e-6
                    y = new
                    if done:
                        break
            return y

        h.register_hook(adjoint)
        loss = ((decoder(h.squeeze(-1).T) - 1) ** 2).mean()
        for p in [*layers.parameters(), *decoder.parameters()]:
            p.grad = None
        loss.backward()
        return loss

    return step


serve({"iterations": iterations, "transposed": transposed, "spsolve": spsolve, "torch_step": torch_step})

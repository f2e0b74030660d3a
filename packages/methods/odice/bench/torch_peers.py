"""ODICE's update in eager PyTorch, as the authors' code makes it: two backward passes and a projection on flat gradients."""
import torch
from offprint_bench import serve

torch.set_num_threads(1)


def mlp(sizes, norm):
    layers = []
    for i in range(len(sizes) - 1):
        layers.append(torch.nn.Linear(sizes[i], sizes[i + 1]))
        if i < len(sizes) - 2:
            if norm:
                layers.append(torch.nn.LayerNorm(sizes[i + 1]))
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


class Value(torch.nn.Module):
    def __init__(self, size, hidden, large):
        super().__init__()
        self.nets = torch.nn.ModuleList(mlp([size, *hidden, 1], large) for _ in range(2 if large else 1))

    def forward(self, s):
        return torch.stack([net(s).squeeze(-1) for net in self.nets])


def conjugate(y):
    w = torch.relu(y / 2 + 1)
    return y * w - (w - 1) ** 2


def updates(case):
    f = lambda name: torch.tensor(case[name], dtype=torch.float32)
    obs, nxt, act, rew, done = [f(n) for n in ("observations", "nextObservations", "actions", "rewards", "terminals")]
    size, actions = obs.shape[1], act.shape[1]
    lam, eta, gamma, beta = 0.6, 1.0, 0.99, 0.005

    def run():
        value = Value(size, case["value"], case["large"])
        target = Value(size, case["value"], case["large"])
        target.load_state_dict(value.state_dict())
        policy = mlp([size, *case["policy"], actions], False)
        log_std = torch.nn.Parameter(torch.zeros(actions))
        params = list(value.parameters())
        v_optimizer = torch.optim.Adam(params, lr=2e-4)
        p_optimizer = torch.optim.Adam([*policy.parameters(), log_std], lr=2e-4, weight_decay=1e-4)
        for _ in range(case["steps"]):
            i = torch.randint(len(rew), (256,))
            s, t, a, r, going = obs[i], nxt[i], act[i], rew[i], gamma * (1 - done[i])
            with torch.no_grad():
                bar_s, bar_t = target(s).min(0).values, target(t).min(0).values
            here, there = value(s), value(t)
            y_f = r + going * bar_t - here
            y_b = r + going * there - bar_s
            g_f = torch.autograd.grad(lam * conjugate(y_f).mean(), params, retain_graph=True)
            g_b = torch.autograd.grad(lam * eta * conjugate(y_b).mean(), params)
            g_0 = torch.autograd.grad((1 - lam) * here.mean(), params)
            flat_f, flat_b = (torch.cat([g.flatten() for g in gs]) for gs in (g_f, g_b))
            c = flat_f @ flat_b / torch.clamp(flat_f @ flat_f, min=1e-10)
            weight = torch.clamp(y_f.detach(), 0, 100)
            for p, x, y, z in zip(params, g_0, g_f, g_b):
                p.grad = x + y + z - c * y
            v_optimizer.step()
            with torch.no_grad():
                for p, q in zip(value.parameters(), target.parameters()):
                    q.mul_(1 - beta).add_(p, alpha=beta)
            std = torch.clamp(log_std, -5, 2)
            nll = (0.5 * ((a - policy(s)) / std.exp()) ** 2 + std + 0.9189385).sum(-1)
            p_optimizer.zero_grad()
            (weight * nll).mean().backward()
            p_optimizer.step()

    return run


serve({"updates": updates})

"""BIB in PyTorch: all designs in one batch, or the way of the paper's script, one design after the other."""

import torch
import torch.nn.functional as F
from offprint_bench import serve


def setup(data):
    p = {k: torch.tensor(v, dtype=torch.float32) for k, v in data["params"].items()}
    heads = data["heads"]

    def features(one_hot):
        x = one_hot.float() @ p["wte.weight"][:4] + p["wpe.weight"][: one_hot.shape[1]]
        b, l, d = x.shape
        for i in range(2):
            at = lambda name: p[f"h.{i}.{name}"]
            n = F.layer_norm(x, (d,), at("ln_1.weight"), at("ln_1.bias"), 1e-5)
            q, k, v = (n @ at("attn.c_attn.weight") + at("attn.c_attn.bias")).view(b, l, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
            a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, l, d)
            x = x + a @ at("attn.c_proj.weight") + at("attn.c_proj.bias")
            n = F.layer_norm(x, (d,), at("ln_2.weight"), at("ln_2.bias"), 1e-5)
            inner = F.gelu(n @ at("mlp.c_fc.weight") + at("mlp.c_fc.bias"), approximate="tanh")
            x = x + inner @ at("mlp.c_proj.weight") + at("mlp.c_proj.bias")
        return F.layer_norm(x, (d,), p["ln_f.weight"], p["ln_f.bias"], 1e-5).mean(1).double()

    rows = F.one_hot(torch.tensor([["ACGT".index(c) for c in s] for s in data["sequences"]]), 4)
    scores = torch.tensor(data["scores"], dtype=torch.float64)
    y = (scores - scores.mean()) / (scores.std() + 1e-9)
    with torch.no_grad():
        phi = features(rows)
    gram = phi.T @ phi
    w = torch.linalg.solve(gram + 1e-6 * torch.trace(gram) / len(y) * torch.eye(len(gram), dtype=torch.float64), phi.T @ y)
    head = torch.tensor(data["head"], dtype=torch.float64)
    return features, phi, y, w, head


def descend(logits, steps, features, phi, y, w, head):
    b = len(logits)
    gamma = torch.full((b,), 0.5, dtype=torch.float64)
    m, v, mg, vg = (torch.zeros_like(t) for t in (logits, logits, gamma, gamma))
    rate = 0.1
    for t in range(1, steps + 1):
        x = logits.clone().requires_grad_()
        soft = torch.softmax(x, -1)
        hard = F.one_hot(soft.argmax(-1), 4).double()
        f = features((hard - soft).detach() + soft)
        forward = (f @ w - 10) ** 2
        own = (f * f).sum(1) * (1 + 1e-6)
        backward = ((phi @ f.T * (10 / own) - y[:, None]) ** 2).mean(0)
        g1, g2, q = (torch.autograd.grad(each.sum(), x, retain_graph=True)[0] for each in (forward, backward, f @ head))
        d = (q * rate * (g1 - g2)).sum((1, 2))
        mg, vg = 0.9 * mg + 0.1 * d, 0.999 * vg + 0.001 * d * d
        gamma = (gamma - 0.1 * (mg / (1 - 0.9**t)) / ((vg / (1 - 0.999**t)).sqrt() + 1e-8)).clamp(0, 1)
        g = gamma[:, None, None] * g1 + (1 - gamma)[:, None, None] * g2
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        logits = logits - rate * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    return logits.argmax(-1)


def batched(data):
    fitted = setup(data)
    logits = torch.tensor(data["logits"], dtype=torch.float64)
    return lambda: descend(logits, data["steps"], *fitted).tolist()


def script(data):
    fitted = setup(data)
    logits = torch.tensor(data["logits"], dtype=torch.float64)
    return lambda: [descend(logits[i : i + 1], data["steps"], *fitted).tolist() for i in range(len(logits))]


serve({"batched": batched, "script": script})

"""The shipped small GPT in PyTorch, one thread: the same weights, the same prompts, fused attention, no gradients."""
import base64
import json
import pathlib
import re

import torch
import torch.nn.functional as F
from offprint_bench import serve

torch.set_num_threads(1)
WEIGHTS = pathlib.Path(__file__).parent / ".." / "src" / "tiny" / "gpt-weights.ts"
HEADS = 4


def weights():
    """Tensors of the safetensors file that the module holds in base64."""
    content = base64.b64decode(re.search(r'"([A-Za-z0-9+/=]{1000,})"', WEIGHTS.read_text()).group(1))
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body = content[8 + length :]
    return {
        name: torch.frombuffer(bytearray(body[slice(*entry["data_offsets"])]), dtype=torch.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }


def affine(p, name, x):
    return F.linear(x, p[f"{name}.transposed"], p[f"{name}.bias"])


def norm(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"])


def features(p, x):
    """Features `[B, L, d]` after the last block, from embeddings without positions."""
    b, l, d = x.shape
    x = x + p["wpe.weight"][:l]
    for i in range(2):
        q, k, v = affine(p, f"h.{i}.attn.c_attn", norm(p, f"h.{i}.ln_1", x)).view(b, l, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + affine(p, f"h.{i}.attn.c_proj", mixed.transpose(1, 2).reshape(b, l, d))
        inner = F.gelu(affine(p, f"h.{i}.mlp.c_fc", norm(p, f"h.{i}.ln_2", x)), approximate="tanh")
        x = x + affine(p, f"h.{i}.mlp.c_proj", inner)
    return norm(p, "ln_f", x)


def prepared():
    p = weights()
    for name in list(p):
        if p[name].dim() == 2 and name.startswith("h."):
            p[name.replace(".weight", ".transposed")] = p[name].T.contiguous()
    return p


def forward(rows, ids):
    p = prepared()
    prompts = torch.tensor(ids).repeat(rows, 1)

    def step():
        with torch.inference_mode():
            return features(p, p["wte.weight"][prompts])[:, -1] @ p["wte.weight"].T

    return step


def gradient(rows, ids):
    p = prepared()
    embeds = p["wte.weight"][torch.tensor(ids)].repeat(rows, 1, 1)

    def step():
        x = embeds.clone().requires_grad_(True)
        logits = features(p, x)[:, -1] @ p["wte.weight"].T
        F.log_softmax(logits, -1)[:, 5].sum().backward()
        return x.grad

    return step


serve({"forward": forward, "gradient": gradient})

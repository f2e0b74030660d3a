import type { Tuning } from "./tuning.js";

/** What `claims/tune.mjs` has found; it writes this file. */
export const tunings: readonly Tuning[] = [
  {
    claim: "pore-networks",
    model: "CGS",
    variant: "attention",
    errors: [0.1461, 0.139, 0.1094, 0.172, 0.129],
  },
  {
    claim: "pore-networks",
    model: "CGS",
    variant: "degree",
    errors: [0.4576, 0.2557, 0.1102, 0.113, 0.1445],
  },
  {
    claim: "pore-networks",
    model: "GNN(3)",
    variant: "sum",
    errors: [0.4056, 0.2156, 0.1934, 0.1733, 0.2965],
  },
  {
    claim: "pore-networks",
    model: "GNN(3)",
    variant: "mean",
    errors: [0.4845, 0.2677, 0.2213, 0.1925, 0.2232],
  },
  {
    claim: "policy-evaluation",
    model: "CGS",
    variant: "sum",
    errors: [0.3187, 0.02468, 0.008486, 0.003775, 0.004911],
  },
  {
    claim: "policy-evaluation",
    model: "CGS",
    variant: "mean",
    errors: [0.3187, 0.02468, 0.008486, 0.003775, 0.004911],
  },
  {
    claim: "policy-evaluation",
    model: "GNN(4)",
    variant: "sum",
    errors: [1.01, 0.84, 0.6711, 0.695, 0.6284],
  },
  {
    claim: "policy-evaluation",
    model: "GNN(4)",
    variant: "mean",
    errors: [1.01, 0.84, 0.6711, 0.695, 0.6284],
  },
  {
    claim: "graph-value-iteration",
    model: "CGS",
    variant: "sum",
    errors: [0.5177, 0.1768, 0.1609, 0.1291, 0.1289],
  },
  {
    claim: "graph-value-iteration",
    model: "CGS",
    variant: "mean",
    errors: [0.3446, 0.1619, 0.1318, 0.127, 0.186],
  },
  {
    claim: "graph-value-iteration",
    model: "GNN(4)",
    variant: "sum",
    errors: [0.7009, 0.5233, 0.502, 0.4819, 1.028],
  },
  {
    claim: "graph-value-iteration",
    model: "GNN(4)",
    variant: "mean",
    errors: [0.4279, 0.3983, 0.3664, 0.3857, 0.4887],
  },
];

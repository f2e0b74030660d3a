import type { Tuning } from "./tuning.js";

/** What `claims/tune.mjs` has found; it writes this file. */
export const tunings: readonly Tuning[] = [
  {
    claim: "pore-networks",
    model: "CGS",
    variant: "attention",
    errors: [0.1823, 0.1796, 0.1205, 0.1925, 0.1804],
  },
  {
    claim: "pore-networks",
    model: "CGS",
    variant: "degree",
    errors: [0.5899, 0.4002, 0.1755, 0.1257, 0.1548],
  },
  {
    claim: "pore-networks",
    model: "GNN(3)",
    variant: "sum",
    errors: [0.6909, 0.3003, 0.2086, 0.1992, 0.2941],
  },
  {
    claim: "pore-networks",
    model: "GNN(3)",
    variant: "mean",
    errors: [0.7661, 0.4326, 0.2601, 0.2204, 0.2428],
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

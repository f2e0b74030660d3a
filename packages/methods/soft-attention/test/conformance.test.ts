import { adamw, meanSquaredError, train } from "@offprint/optim";
import { runConformance } from "@offprint/solvers/conformance";
import { random, type Tensor } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { softBlock } from "../src/index.js";

const block = softBlock({ dim: 4, heads: 1, ratio: 2, normalization: "symmetric", localConv: 3 });
const tokens = random.rng(0).normal([2, 16, 4]);
const broken = tokens.mul(Number.NaN);

const loss = (params: ReturnType<typeof block.init>, x: Tensor) => meanSquaredError(block.apply(params, x, [4, 4]), x);
const options = { loss, optimizer: adamw({ learningRate: 0.01 }), epochs: 1 };

runConformance(
  "train, of a SOFT++ block",
  {
    run: ({ seed = 0, ...rest }) =>
      train({
        ...options,
        initial: block.init(random.rng(seed as number | string)),
        data: (_, rng) => [tokens, tokens.add(rng.normal([2, 16, 4], { std: 0.1 }))],
        seed: seed as number | string,
        ...rest,
      }),
    limit: "epochs",
    short: 2,
    endless: { epochs: 1e5 },
    seeded: true,
    invalid: [{ seed: Number.NaN }],
    nonFinite: [() => train({ ...options, initial: block.init(random.rng(0)), data: () => [broken] })],
  },
  { describe, it, expect },
);

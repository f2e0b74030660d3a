// Attention in linear time
// The weights that a token of an image gives to the others, through a few bottleneck tokens, beside those of the full kernel. Change the grid, the ratio (a larger one leaves fewer bottleneck tokens) or the normalisation.

import { attentionDiagnostics, fullGaussianAttention, softAttention } from "@offprint/soft-attention";
import { eye, random, tensor } from "@offprint/tensor-core";

const side = 16;
const n = side * side;
const normalization = "none"; // or "symmetric", which is SOFT++

// Tokens of four features that change smoothly over the image, and a little noise.
const noise = random.rng(1).normal([n, 4]).data();
const features = Array.from(noise, (e, i) => {
  const [token, channel] = [Math.floor(i / 4), i % 4];
  const [y, x] = [Math.floor(token / side) / side, (token % side) / side];
  return Math.cos(2 * Math.PI * (((channel % 2) + 1) * x + (channel % 3) * y)) + 0.15 * e;
});
const queries = tensor(features, { shape: [n, 4] });

// What an attention does to unit vectors is its matrix of weights.
const token = (n + side) / 2;
const row = (weights) => Array.from(weights.data().slice(token * n + n / 2, token * n + n / 2 + side));
const curves = [{ name: "full kernel", y: row(fullGaussianAttention(queries, eye(n), { normalization })) }];
for (const ratio of [2, 4]) {
  const options = { grid: [side, side], ratio, normalization };
  const { condition, residual } = attentionDiagnostics(queries, options);
  console.log(
    `${n / ratio ** 2} bottleneck tokens: condition ${condition.toFixed(0)}, residual of the inverse ${residual.toPrecision(2)}`,
  );
  curves.push({ name: `${n / ratio ** 2} bottleneck tokens`, y: row(softAttention(queries, eye(n), options)) });
}

display({
  kind: "line",
  title: "What the token in the middle of the image attends to in its row",
  x: { label: "column" },
  y: { label: "weight" },
  curves,
});

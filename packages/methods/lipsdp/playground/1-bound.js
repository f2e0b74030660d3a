// Bound a network
// Random MaxMin networks of growing depth: the product of the layers' norms runs away, the certified bound stays near what sampling finds. Change the widths, the depth or the activation.

import { lipschitzBound, productBound, samplingBound } from "@offprint/lipsdp";
import { activation, perceptron } from "@offprint/networks";
import { random } from "@offprint/tensor-core";

const width = 8;
const depths = [2, 3, 4, 5];
const bounds = [];
for (const depth of depths) {
  const rng = random.rng(7);
  const dims = [4, ...new Array(depth - 1).fill(width), 2];
  const layers = dims
    .slice(1)
    .map((rows, k) => ({ weight: rng.normal([rows, dims[k]], { std: 1 / Math.sqrt(dims[k]) }) }));
  const network = perceptron(layers, activation("maxmin"));
  const { value } = await lipschitzBound(network);
  console.log(`${depth} layers: L <= ${value.toFixed(4)}, certified`);
  bounds.push({ sample: samplingBound(network), value, product: productBound(network) });
}

display({
  kind: "bar",
  title: "Lipschitz bounds by depth",
  category: "layers",
  categories: depths.map(String),
  value: { label: "Lipschitz constant" },
  bars: [
    { name: "largest sample (below)", values: bounds.map(({ sample }) => sample) },
    { name: "certified bound", values: bounds.map(({ value }) => value) },
    { name: "product of norms", values: bounds.map(({ product }) => product) },
  ],
});

import { max, type random, ShapeError, type Tensor, type TensorLike, tensor, ValueError } from "@offprint/tensor-core";

/** @internal Points with the class of each. */
export interface Examples {
  readonly points: Tensor;
  readonly codes: Tensor;
  readonly classes: number;
}

/** @internal @throws ShapeError, ValueError for what is no classification. */
export function examplesOf(owner: string, x: TensorLike, labels: TensorLike): Examples {
  const points = tensor(x, { dtype: "float64" });
  const given = tensor(labels, { dtype: "float64" });
  if (points.rank !== 2 || given.rank !== 1 || given.size !== points.shape[0] || given.size === 0) {
    throw new ShapeError(
      `${owner}: x has shape [${points.shape}] and labels [${given.shape}]; give [N, d] and [N], N >= 1`,
    );
  }
  if (!points.data().every(Number.isFinite)) throw new ValueError(`${owner}: x holds a value that is not finite`);
  const classes = max(given).item() + 1;
  if (!Array.from(given.data()).every((label) => Number.isInteger(label) && label >= 0)) {
    throw new ValueError(`${owner}: labels must be integers from 0`);
  }
  if (classes < 2) throw new ValueError(`${owner}: labels are of one class; give two at least`);
  return { points, codes: tensor(Int32Array.from(given.data())), classes };
}

/** @internal `[n, classes]` 1 at the class of each, else 0. */
export function oneHot(codes: Tensor, classes: number): Tensor {
  const targets = new Float64Array(codes.size * classes);
  codes.data().forEach((code, i) => {
    targets[i * classes + code] = 1;
  });
  return tensor(targets, { dtype: "float64" }).reshape([codes.size, classes]);
}

/** @internal Places of M points, of each class in turn while there are some. */
export function balanced(codes: ArrayLike<number>, classes: number, M: number, rng: random.Rng): Int32Array {
  const order = Array.from(rng.permutation(codes.length).data());
  const queues = Array.from({ length: classes }, (_, c) => order.filter((i) => codes[i] === c));
  const chosen: number[] = [];
  for (let turn = 0; chosen.length < M; turn++) {
    const next = queues[turn % classes].pop();
    if (next !== undefined) chosen.push(next);
  }
  return Int32Array.from(chosen);
}

import {
  asTensor,
  checkOptions,
  requireObject,
  ShapeError,
  type Tensor,
  type TensorLike,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { GradientStats } from "./gradient-stats.js";

/**
 * A test on the per-sample gradients of a batch: does the batch estimate the gradient well enough? The constants are the
 * largest relative errors allowed, all > 0.
 */
export type BatchTest =
  | {
      /** E|grad F_B - grad F|^2 <= eta^2 |grad F|^2. */
      readonly kind: "norm";
      /** Relative error of the gradient; the paper takes 0.1 to 0.5. */
      readonly eta: number;
    }
  | {
      /** The variance of the inner product with the gradient is at most theta^2 |grad F|^4. */
      readonly kind: "inner-product";
      /** Relative error along the gradient; 0.5 in the paper's experiments. */
      readonly theta: number;
    }
  | {
      /** The variance orthogonal to the gradient is at most nu^2 |grad F|^2. */
      readonly kind: "orthogonality";
      /** Relative error across the gradient; 1 in the paper's experiments. */
      readonly nu: number;
    }
  | {
      /** Inner product and orthogonality together. */
      readonly kind: "augmented";
      /** As for `inner-product`. */
      readonly theta: number;
      /** As for `orthogonality`. */
      readonly nu: number;
    }
  | {
      /** The norm test for every coordinate: the paper's, for AdaGrad. */
      readonly kind: "coordinate-wise";
      /** One relative error for all coordinates, or a tree of them like the parameters. */
      readonly eta: number | tree.Tree;
    };

/** The constants of each test. */
const constants: Readonly<Record<BatchTest["kind"], readonly string[]>> = {
  norm: ["eta"],
  "inner-product": ["theta"],
  orthogonality: ["nu"],
  augmented: ["theta", "nu"],
  "coordinate-wise": ["eta"],
};

/** @throws ValueError for a test that is unknown, has a constant out of range, or one that is none of its own. */
export function requireTest(caller: string, test: BatchTest): void {
  if (!Object.hasOwn(constants, test.kind)) {
    throw new ValueError(
      `${caller}: there is no test ${String(test.kind)}; take norm, inner-product, orthogonality, augmented or coordinate-wise`,
    );
  }
  checkOptions(`${caller}: the ${test.kind} test`, test, ["kind", ...constants[test.kind]], constants[test.kind]);
  const positive = (name: string, value: unknown) => {
    if (!(typeof value === "number" && value > 0 && Number.isFinite(value))) {
      throw new ValueError(
        `${caller}: ${name} of the ${test.kind} test is ${String(value)}; it must be a finite number > 0`,
      );
    }
  };
  if (test.kind === "norm") positive("eta", test.eta);
  else if (test.kind === "inner-product") positive("theta", test.theta);
  else if (test.kind === "orthogonality") positive("nu", test.nu);
  else if (test.kind === "augmented") {
    positive("theta", test.theta);
    positive("nu", test.nu);
  } else {
    const etas =
      typeof test.eta === "number"
        ? [[test.eta]]
        : tree.leaves<TensorLike>(test.eta).map((leaf) => [...asTensor(leaf).data()]);
    for (const eta of etas.flat()) positive("eta", eta);
  }
}

/** Whether the test needs inner products of the samples' gradients with the mean gradient. */
export function needsInnerProducts({ kind }: { readonly kind: string }): boolean {
  return kind === "inner-product" || kind === "orthogonality" || kind === "augmented";
}

/**
 * The batch size at which the test would pass, not rounded: `Infinity` where the mean gradient vanishes and the samples'
 * do not, 0 where all samples agree.
 *
 * @throws ValueError for constants out of range; ShapeError for an `eta` that does not fit the parameters.
 */
export function requiredBatchSize(stats: GradientStats, test: BatchTest): number {
  requireObject("requiredBatchSize", "stats", stats, "GradientStats");
  requireObject("requiredBatchSize", "test", test, "a BatchTest");
  requireTest("requiredBatchSize", test);
  const n2 = stats.gradNormSquared;
  switch (test.kind) {
    case "norm":
      return ratio(stats.variance1Norm, test.eta ** 2 * n2);
    case "inner-product":
      return alongGradient(stats, test.theta);
    case "orthogonality":
      return ratio(stats.varOrthogonal, test.nu ** 2 * n2);
    case "augmented":
      return Math.max(alongGradient(stats, test.theta), ratio(stats.varOrthogonal, test.nu ** 2 * n2));
    case "coordinate-wise":
      return coordinateWise(stats, test.eta);
  }
}

/** 0 / 0 asks for nothing: the samples agree. */
function ratio(variance: number, bound: number): number {
  return variance <= 0 ? 0 : variance / bound;
}

/** V_ip / (theta^2 n^4). Where the mean vanishes V_ip does too, even if the samples do not agree. */
function alongGradient({ gradNormSquared, variance1Norm, varInnerProduct }: GradientStats, theta: number): number {
  if (gradNormSquared === 0 && variance1Norm > 0) return Number.POSITIVE_INFINITY;
  return ratio(varInnerProduct, theta ** 2 * gradNormSquared ** 2);
}

function coordinateWise(stats: GradientStats, eta: number | tree.Tree): number {
  const means = tree.leaves<Tensor>(stats.mean);
  const variances = tree.leaves<Tensor>(stats.coordinateVariance);
  const bounds = typeof eta === "number" ? undefined : tree.leaves<TensorLike>(eta).map((leaf) => asTensor(leaf));
  if (bounds !== undefined && bounds.length !== means.length) {
    throw new ShapeError(`coordinate-wise test: eta has ${bounds.length} leaves, the parameters have ${means.length}`);
  }
  let largest = 0;
  for (const [i, mean] of means.entries()) {
    const bound = bounds?.[i];
    if (bound !== undefined && bound.shape.join() !== mean.shape.join()) {
      throw new ShapeError(
        `coordinate-wise test: a leaf of eta has shape [${bound.shape}], its parameter [${mean.shape}]`,
      );
    }
    const [g, s, e] = [mean.data(), variances[i].data(), bound?.data()];
    for (let j = 0; j < g.length; j++) {
      largest = Math.max(largest, ratio(s[j], (e === undefined ? (eta as number) : e[j]) ** 2 * g[j] ** 2));
    }
  }
  return largest;
}

/**
 * The next batch size: never smaller, at most `max`.
 *
 * @throws ValueError as `requiredBatchSize`, and for sizes that are no integers >= 2 or a current one above `max`.
 */
export function nextBatchSize(current: number, stats: GradientStats, test: BatchTest, max: number): number {
  if (!Number.isSafeInteger(current) || current < 2 || !Number.isSafeInteger(max) || max < current) {
    throw new ValueError(
      `nextBatchSize: current is ${current} and max ${max}; they must be integers, 2 <= current <= max`,
    );
  }
  return grown(current, requiredBatchSize(stats, test), max);
}

/** max(current, ceil(required)), capped before it becomes an integer. */
export function grown(current: number, required: number, max: number): number {
  if (required <= current) return current;
  return required >= max ? max : Math.min(max, Math.ceil(required));
}

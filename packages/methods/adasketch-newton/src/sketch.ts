import {
  checkOptions,
  concatenate,
  isTensor,
  mul,
  oneHot,
  type random,
  requireChoice,
  requireInteger,
  reshape,
  ShapeError,
  slice,
  stack,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";

/**
 * How the Newton system is sketched: a step draws S `[d, s]` and projects the direction onto
 * `{ D : S^T K D = -S^T res }`.
 */
export type Sketch =
  | {
      /** S is one vector of normal numbers: two products with K a step. */
      readonly kind: "gaussian";
    }
  | {
      /** S is a coordinate, so that a step meets one equation: O(d) a step, for systems with a matrix. */
      readonly kind: "kaczmarz";
      /** Rows alike (default), or by their squared norms. */
      readonly sampling?: "uniform" | "norm";
    }
  | {
      /** S has `size` columns. */
      readonly kind: "block";
      /** s, an integer >= 1 and at most d. */
      readonly size: number;
      /** Normal numbers (default), distinct coordinates, or a count sketch. */
      readonly family?: "gaussian" | "subsample" | "countSketch";
    }
  | {
      /** A symmetric solve: the reference, and the fallback for small systems. */
      readonly kind: "exact";
    }
  | {
      /** Sketches of one's own. */
      readonly kind: "custom";
      /** S `[d, s]` of a step that counts from 0, of the same s in all steps; it must answer alike when asked again. */
      readonly next: (step: number, d: number) => Tensor;
    };

const kinds = ["gaussian", "kaczmarz", "block", "exact", "custom"] as const;
const fields: Record<Sketch["kind"], readonly string[]> = {
  gaussian: [],
  kaczmarz: ["sampling"],
  block: ["size", "family"],
  exact: [],
  custom: ["next"],
};

/** @internal Throws where a sketch is not one. */
export function checkSketch(owner: string, sketch: Sketch, d?: number): void {
  if (typeof sketch !== "object" || sketch === null) {
    throw new ValueError(`${owner}: sketch is ${String(sketch)}; give an object such as { kind: "kaczmarz" }`);
  }
  requireChoice(owner, "sketch.kind", sketch.kind ?? null, kinds);
  checkOptions(`${owner}: sketch`, sketch, ["kind", ...fields[sketch.kind]]);
  if (sketch.kind === "kaczmarz")
    requireChoice(owner, "sketch.sampling", sketch.sampling ?? "uniform", ["uniform", "norm"]);
  if (sketch.kind === "block") {
    requireInteger(owner, "sketch.size", sketch.size, 1, d);
    requireChoice(owner, "sketch.family", sketch.family ?? "gaussian", ["gaussian", "subsample", "countSketch"]);
  }
  if (sketch.kind === "custom" && typeof sketch.next !== "function") {
    throw new ValueError(
      `${owner}: sketch.next is ${typeof sketch.next}; it must be a function (step, d) of a tensor [d, s]`,
    );
  }
}

/** Numbers that are drawn at a time. */
const DRAWN = 8192;

/** Passes of one call where sketches or products are functions of the user. */
const CALLED = 16;

/** @internal How many passes one call of the loop makes at most, and how many steps a pass is. */
export function callSize(
  sketch: Sketch,
  d: number,
  compiled: boolean,
): { readonly passes: number; readonly stepsPerPass: number } {
  if (sketch.kind === "exact") return { passes: 1, stepsPerPass: 1 };
  if (sketch.kind === "custom" || !compiled) return { passes: CALLED, stepsPerPass: 1 };
  const width = sketch.kind === "block" ? sketch.size : 1;
  // The norm of the residual is known once in d cheap steps.
  return { passes: Math.max(1, Math.floor(DRAWN / (d * width))), stepsPerPass: sketch.kind === "kaczmarz" ? d : 1 };
}

/**
 * @internal The sketches of one call: rows `[passes, d]` for Kaczmarz, else S of each pass, `[passes, d]` or
 * `[passes, d, s]`.
 * @param passes - Passes of the call.
 * @param firstStep - Steps before it.
 * @param weights - `[d]` squared norms of the rows of K.
 */
export function drawSketches(
  owner: string,
  sketch: Sketch,
  rng: random.Rng,
  d: number,
  passes: number,
  firstStep: number,
  weights?: Tensor,
): Tensor {
  switch (sketch.kind) {
    case "kaczmarz":
      if (sketch.sampling === "norm" && weights !== undefined) return rng.choice(d, { shape: [passes, d], weights });
      return rng.randint([passes, d], { high: d });
    case "block":
      return drawBlocks(sketch, rng, passes, d);
    case "custom":
      return stack(
        Array.from({ length: passes }, (_, k) => {
          const S = sketch.next(firstStep + k, d);
          if (!isTensor(S)) throw new ValueError(`${owner}: sketch.next gave ${S}; it must give a tensor [${d}, s]`);
          if (S.shape[0] === d && S.rank <= 2) return reshape(S, [d, S.size / d]);
          throw new ShapeError(`${owner}: sketch.next gave shape [${S.shape}]; it must give [${d}, s]`);
        }),
      );
    default:
      return rng.normal([passes, d], { dtype: "float64" });
  }
}

function drawBlocks(sketch: Extract<Sketch, { kind: "block" }>, rng: random.Rng, passes: number, d: number): Tensor {
  const { size, family } = sketch;
  if (family === "subsample") {
    // The blocks of one random order are disjoint, so that it lasts for several passes.
    const perOrder = Math.floor(d / size);
    const orders = Array.from({ length: Math.ceil(passes / perOrder) }, () => rng.permutation(d));
    const blocks = orders.map((order) =>
      reshape(slice(order, [{ start: 0, stop: perOrder * size }]), [perOrder, size]),
    );
    const chosen = slice(concatenate(blocks, 0), [{ start: 0, stop: passes }]);
    return oneHot(chosen, d, { dtype: "float64" }).transpose([0, 2, 1]);
  }
  if (family === "countSketch") {
    const buckets = oneHot(rng.randint([passes, d], { high: size }), size, { dtype: "float64" });
    return mul(buckets, rng.rademacher([passes, d, 1], { dtype: "float64" }));
  }
  return rng.normal([passes, d, size], { dtype: "float64" });
}

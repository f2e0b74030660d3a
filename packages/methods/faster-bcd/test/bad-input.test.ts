import {
  DTypeError,
  IndexError,
  NonFiniteError,
  ShapeError,
  sparse,
  tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import {
  activeSet,
  activeSetBound,
  type BcdOptions,
  type BcdProblem,
  type BlockObjective,
  bcd,
  combs,
  forestBlock,
  forestPartition,
  forestSolve,
  fromTraceable,
  labelPropagation,
  leastSquares,
  linearModel,
  logistic,
  quadratic,
  type RowLoss,
  redBlackPartition,
  softmaxRegression,
} from "../src/index.js";

const A = [
  [1, 2],
  [3, 4],
  [5, 6],
];
const smooth = leastSquares(A, [1, 2, 3]);
const own: BlockObjective = { n: 2, value: (x) => x[0] ** 2 + x[1] ** 2, gradient: (x) => [2 * x[0], 2 * x[1]] };
const graph = (values: number[]) => sparse.fromTriplets(4, 4, [0, 1, 2, 3], [1, 0, 3, 2], values);
const half = sparse.fromTriplets(2, 2, [0, 0, 1], [0, 1, 1], [1, 1, 1]);
const chain = () =>
  labelPropagation(sparse.fromTriplets(3, 3, [0, 1, 1, 2], [1, 0, 2, 1], [1, 1, 1, 1]), new Map([[0, 1]]));
type ErrorClass = new (message: string) => Error;

describe("problems that are none are refused", () => {
  it.each<[string, () => unknown, ErrorClass, RegExp]>([
    ["a vector for A", () => leastSquares([1, 2] as never, [1]), ShapeError, /A has shape \[2\]; it must be a matrix/],
    ["NaN in A", () => leastSquares([[1, Number.NaN]], [1]), ValueError, /A holds NaN at \[0, 1\]/],
    [
      "infinity in a sparse A",
      () => leastSquares(sparse.diagonal([1, Infinity]), [1, 2]),
      ValueError,
      /A holds Infinity/,
    ],
    ["booleans", () => leastSquares(tensor([[true, false]]), [1]), DTypeError, /bool/],
    ["a y that is too short", () => leastSquares(A, [1, 2]), ShapeError, /3 rows and y 2 values/],
    ["NaN in y", () => leastSquares(A, [1, Number.NaN, 1]), ValueError, /y holds NaN at position 1/],
    ["labels 0 and 1", () => logistic(A, [0, 1, 1]), ValueError, /labels must be -1 or 1/],
    [
      "a class out of range",
      () => softmaxRegression(A, [0, 1, 3], 3),
      ValueError,
      /labels\[2\] is 3; classes are the integers from 0 to 2/,
    ],
    ["a class that is no integer", () => softmaxRegression(A, [0, 0.5, 1], 3), ValueError, /labels\[1\] is 0.5/],
    ["one class", () => softmaxRegression(A, [0, 0, 0], 1), ValueError, /classes is 1; it must be an integer >= 2/],
    ["a matrix that is not square", () => quadratic(A, [1, 2]), ShapeError, /must be square/],
    [
      "a matrix that is not symmetric",
      () =>
        quadratic(
          [
            [1, 2],
            [0, 1],
          ],
          [1, 2],
        ),
      ValueError,
      /not symmetric/,
    ],
    [
      "a negative diagonal",
      () =>
        quadratic(
          [
            [1, 0],
            [0, -1],
          ],
          [1, 2],
        ),
      ValueError,
      /no negative diagonal/,
    ],
    [
      "a c of another length",
      () =>
        quadratic(
          [
            [1, 0],
            [0, 1],
          ],
          [1, 2, 3],
        ),
      ShapeError,
      /c has 3 values; it needs 2/,
    ],
    ["negative weights", () => labelPropagation(graph([1, 1, -1, -1]), new Map([[0, 1]])), ValueError, /weight -1/],
    [
      "weights of one direction",
      () => labelPropagation(graph([1, 2, 1, 1]), new Map([[0, 1]])),
      ValueError,
      /not symmetric/,
    ],
    [
      "a component without a label",
      () => labelPropagation(graph([1, 1, 1, 1]), new Map([[0, 1]])),
      ValueError,
      /no label reaches node 2/,
    ],
    ["a label of no node", () => labelPropagation(graph([1, 1, 1, 1]), new Map([[4, 1]])), ValueError, /names node 4/],
    [
      "a label that is NaN",
      () => labelPropagation(graph([1, 1, 1, 1]), new Map([[0, Number.NaN]])),
      ValueError,
      /label of node 0 is NaN/,
    ],
    [
      "labels for all",
      () => labelPropagation(graph([1, 1, 1, 1]), new Map([0, 1, 2, 3].map((i) => [i, 1]))),
      ValueError,
      /nothing to find/,
    ],
    [
      "a loss without a bound",
      () => linearModel(A, { value: () => 0, slope: () => 0, curvature: () => 0, curvatureBound: Infinity }),
      ValueError,
      /curvatureBound/,
    ],
    ["no variables", () => fromTraceable((x) => x, 0), ValueError, /n is 0/],
    [
      "no matrix",
      () => leastSquares(undefined as never, [1]),
      ValueError,
      /leastSquares: A is undefined; give a matrix/,
    ],
    [
      "no right side",
      () => leastSquares(A, "1" as never),
      ValueError,
      /leastSquares: y is 1; give a vector of numbers/,
    ],
    ["no classes", () => softmaxRegression(A, undefined as never, 3), ValueError, /labels is undefined/],
    [
      "labels that are no map",
      () => labelPropagation(graph([1, 1, 1, 1]), [[0, 1]] as never),
      ValueError,
      /give a Map from nodes to their values/,
    ],
    ["values of too few nodes", () => chain().complete([1]), ShapeError, /complete: x has 1 values; it needs 2/],
    ["a block of no node", () => chain().blocksOf([[0, 4]]), IndexError, /names node 4/],
    ["a graph that is none", () => forestPartition([[1]] as never), ValueError, /sparse matrix in rows/],
    ["a graph in columns", () => redBlackPartition(sparse.toCsc(half) as never), ValueError, /sparse.toCsr\(matrix\)/],
    ["half of a graph", () => forestPartition(half), ValueError, /entry \[0, 1\] is 1 and \[1, 0\] is 0/],
    ["half of a graph for a block", () => forestBlock([0, 1], half), ValueError, /give both halves/],
    ["half of a system", () => forestSolve(half, [1, 1], [0, 1]), ValueError, /give both halves/],
    ["a partition of a part", () => redBlackPartition(graph([1, 1, 1, 1]), [0, 1]), ValueError, /names 2 of 4 nodes/],
    ["no problem for an active set", () => activeSet({} as never, [0, 0]), ValueError, /problem.smooth must have/],
    [
      "a point outside the bounds",
      () => activeSet({ smooth, composite: { kind: "nonneg" } }, [0, -1]),
      ValueError,
      /x is -1 at 1, outside/,
    ],
    [
      "a misspelt part of a bound",
      () => activeSetBound({ L: 1, mu: 1, delta: 1, dist: 1 } as never),
      ValueError,
      /no option "dist"/,
    ],
    [
      "more convexity than curvature",
      () => activeSetBound({ L: 1, mu: 2, delta: 1, dist0: 1 }),
      ValueError,
      /mu is 2 and L 1/,
    ],
    ["a lattice of no rows", () => combs(0, 3), ValueError, /rows is 0/],
  ])("%s", (_name, make, kind, message) => {
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });
});

describe("options out of range are refused", () => {
  it.each<[string, BcdOptions, ErrorClass, RegExp]>([
    ["tau < 1", { blockSize: 0 }, ValueError, /blockSize is 0; it must be an integer from 1 to 2/],
    ["tau > n", { blockSize: 3 }, ValueError, /blockSize is 3; it must be an integer from 1 to 2/],
    [
      "an unknown partition",
      { blocks: "sorted" as never },
      ValueError,
      /blocks is "sorted"; it must be one of "variable"/,
    ],
    ["blocks that overlap", { blocks: [[0, 1], [1]] }, ValueError, /variable 1 is in blocks\[0\] and blocks\[1\]/],
    ["blocks that leave one out", { blocks: [[0]] }, ValueError, /variable 1 is in no block/],
    ["an empty block", { blocks: [[0, 1], []] }, ValueError, /blocks\[1\] is empty/],
    ["a block of no variable", { blocks: [[0, 2]] }, IndexError, /blocks\[0\] holds 2/],
    ["an unknown rule", { rule: "best" as never }, ValueError, /rule is "best"/],
    ["an unknown update", { update: "jump" as never }, ValueError, /update is "jump"/],
    ["a third norm", { norm: 3 as never }, ValueError, /norm is 3/],
    [
      "a size of blocks that have their own",
      { blocks: [[0], [1]], blockSize: 1 },
      ValueError,
      /blockSize: blocks of your own/,
    ],
    [
      "a rule of drawn blocks",
      { blocks: "random-tree", rule: "gs" },
      ValueError,
      /rule: blocks "random-tree" are drawn/,
    ],
    ["thresholding of another rule", { rule: "gs", thresholding: "plain" }, ValueError, /it is of rule "gsq"/],
    ["a bound of another update", { update: "matrix", hessianLipschitz: 1 }, ValueError, /it is of update "cubic"/],
    ["a negative tolerance", { tolerance: -1 }, ValueError, /tolerance is -1/],
    ["NaN iterations", { maxIterations: Number.NaN }, ValueError, /maxIterations is NaN/],
    ["a seed that is no integer", { seed: 0.5 }, ValueError, /seed is 0.5/],
    ["fStar NaN", { fStar: Number.NaN }, ValueError, /fStar is NaN/],
    ["a decrease above one half", { sufficientDecrease: 0.7 }, ValueError, /between 0 and 1\/2/],
    ["an initial of another length", { initial: [1] }, ShapeError, /initial has 1 values for 2 variables/],
    ["NaN in initial", { initial: [1, Number.NaN] }, ValueError, /initial holds NaN/],
    ["a misspelt option", { blocksize: 2 } as never, ValueError, /no option "blocksize"; did you mean "blockSize"/],
    ["a state that is none", { resume: { x: [1, 2] } as never }, ValueError, /resume has no number of iterations/],
    [
      "a saved point of another problem",
      { resume: { iterations: 1, history: [], inner: { x: Float64Array.of(1) } } as never },
      ValueError,
      /resume does not hold 2 numbers as `x`/,
    ],
    [
      "a saved point without what f keeps",
      { resume: { iterations: 1, history: [], inner: { x: Float64Array.of(1, 2), smooth: {} } } as never },
      ValueError,
      /resume does not hold 3 numbers as `z`/,
    ],
    [
      "a saved point of nothing",
      { resume: { iterations: 1, history: [], inner: { x: Float64Array.of(1, 2), smooth: null } } as never },
      ValueError,
      /resume.inner.smooth is null; give the `state`/,
    ],
    ["every set for mi", { rule: "mi" }, ValueError, /take fixed blocks, or "gsq"/],
    ["a cubic step without its constant", { update: "cubic" }, ValueError, /hessianLipschitz is undefined/],
    ["a rule that cannot order a tree", { blocks: "greedy-tree", rule: "gsq" }, ValueError, /take "gs" or "gsd"/],
    ["a rule that gives no block", { rule: () => [] }, ValueError, /empty block/],
    ["a rule that repeats itself", { rule: () => [1, 1] }, ValueError, /variable 1 twice/],
    ["a rule that gives no variable", { rule: () => [2] }, IndexError, /variable 2/],
    ["a rule that gives half a variable", { rule: () => [0.5] }, IndexError, /variable 0.5/],
    ["a rule that gives NaN", { rule: () => [Number.NaN] }, IndexError, /variable NaN/],
    ["a rule that gives nothing", { rule: () => undefined as never }, ValueError, /the rule gave is undefined/],
    ["null for a rule", { rule: null as never }, ValueError, /rule is null/],
    ["null for an update", { update: null as never }, ValueError, /update is null/],
    ["a number for blocks", { blocks: 3 as never }, ValueError, /blocks is 3/],
    ["numbers for blocks", { blocks: [0, 1] as never }, ValueError, /blocks\[0\] is 0; give an array of variables/],
    ["a norm of variables", { norm: 1 }, ValueError, /norm: it is of rules "gs" and "gsl" with fixed blocks/],
    ["a norm of another rule", { blocks: "order", rule: "gsq", norm: 1 }, ValueError, /norm: it is of rules/],
    ["a line search of exact steps", { sufficientDecrease: 0.1 }, ValueError, /without a line search/],
  ])("%s", async (_name, options, kind, message) => {
    await expect(bcd({ smooth }, options)).rejects.toThrow(kind);
    await expect(bcd({ smooth }, options)).rejects.toThrow(message);
  });

  it.each<[string, BcdProblem["composite"], BcdOptions, RegExp]>([
    ["lambda < 0", { kind: "l1", lambda: -1 }, {}, /composite.lambda is -1 at 0; it must be finite and >= 0/],
    ["lambda NaN", { kind: "nonneg", lambda: [1, Number.NaN] }, {}, /lambda holds NaN/],
    ["lower > upper", { kind: "box", lower: 1, upper: [2, 0] }, {}, /lower is 1 and composite.upper 0 at 1/],
    ["an unknown kind", { kind: "l2" } as never, {}, /composite.kind is l2/],
    ["null", null as never, {}, /composite is null/],
    ["a misspelt lambda", { kind: "nonneg", lamda: 3 } as never, {}, /no option "lamda"; did you mean "lambda"/],
    ["a field of another kind", { kind: "l1", lambda: 1, lower: 0 } as never, {}, /no option "lower"/],
    ["l1 without lambda", { kind: "l1" } as never, {}, /composite "l1": there is no lambda/],
    ["a box without an end", { kind: "box", lower: 0 } as never, {}, /there is no upper/],
    ["a text for lambda", { kind: "l1", lambda: "3" } as never, {}, /composite.lambda is 3; give a vector/],
    ["a smooth update", { kind: "nonneg" }, { update: "matrix" }, /update "matrix" is for smooth problems/],
    ["a smooth rule", { kind: "nonneg" }, { rule: "gsd" }, /take "gs-q" or a rule without gradient/],
    [
      "a start outside the bounds",
      { kind: "nonneg" },
      { initial: [1, -1] },
      /initial is -1 at 1, outside \[0, Infinity\]/,
    ],
  ])("composite: %s", async (_name, composite, options, message) => {
    await expect(bcd({ smooth, composite }, options)).rejects.toThrow(ValueError);
    await expect(bcd({ smooth, composite }, options)).rejects.toThrow(message);
  });
});

describe("what an objective does not offer is named", () => {
  it.each<[BcdOptions, RegExp]>([
    [
      { update: "gradient" },
      /update "gradient" needs the objective's blockBound or lipschitz; or take "lipschitz-approx"/,
    ],
    [{ update: "matrix" }, /needs the objective's blockBound; or take "newton"/],
    [{ update: "newton" }, /needs the objective's blockHessian/],
    [{ update: "pn" }, /needs the objective's blockHessian or blockBound/],
    [{ update: "message-passing" }, /needs the objective's sparseBound/],
    [{ rule: "gsq" }, /needs the objective's blockBound/],
    [{ rule: "gsl" }, /needs the objective's absoluteRowSums/],
    [{ blocks: "order", rule: "gsd" }, /needs the objective's blockBound/],
    [{ blocks: "red-black", update: "lipschitz-approx" }, /blocks "red-black" needs the objective's sparseBound/],
    [{ blocks: "hsort", rule: "cyclic" }, /blocks "hsort" needs the objective's absoluteRowSums/],
  ])("%o", async (options, message) => {
    await expect(bcd({ smooth: own }, options)).rejects.toThrow(UnsupportedError);
    await expect(bcd({ smooth: own }, options)).rejects.toThrow(message);
  });

  it("a saved point that was damaged is named", async () => {
    const { state } = await bcd({ smooth }, { maxIterations: 1, tolerance: 0, blockSize: 1 });
    for (const [name, value] of [
      ["iteration", Number.NaN],
      ["iteration", "2"],
      ["supportChangedAt", undefined],
      ["composite", Infinity],
    ] as const) {
      const resume = { ...state, inner: { ...state.inner, [name]: value } } as never;
      await expect(bcd({ smooth }, { maxIterations: 3, blockSize: 1, resume })).rejects.toThrow(
        `resume does not hold a finite number as \`${name}\``,
      );
    }
  });

  it("mi is for quadratics", async () => {
    await expect(bcd({ smooth: logistic(A, [1, -1, 1]) }, { blocks: "order", rule: "mi" })).rejects.toThrow(
      /is for quadratics; take "gsq"/,
    );
  });

  it("callbacks that give what they must not are named", async () => {
    await expect(bcd({ smooth: {} as never })).rejects.toThrow(
      /problem.smooth must have n, value\(x\) and gradient\(x\)/,
    );
    await expect(bcd({ smooth: { ...own, n: 0 } })).rejects.toThrow(/problem.smooth.n is 0/);
    await expect(bcd({ smooth: { ...own, gradient: () => [1] } })).rejects.toThrow(
      /gradient gave 1 numbers; it must give an array of 2/,
    );
    await expect(bcd({ smooth: { ...own, gradient: () => [1, Number.NaN] } })).rejects.toThrow(
      /gradient holds NaN at position 1/,
    );
    await expect(bcd({ smooth: { ...own, value: () => Number.NaN } })).rejects.toThrow(/value is NaN/);
    await expect(bcd({ smooth: { ...own, lipschitz: [1, -1] } })).rejects.toThrow(/lipschitz holds -1 at 1/);
    await expect(
      bcd({ smooth: { ...own, blockBound: () => [1] } }, { blockSize: 2, update: "matrix", initial: [1, 1] }),
    ).rejects.toThrow(/blockBound gave 1 numbers; it must give an array of 4/);
  });

  it.each<[string, Partial<RowLoss>, ErrorClass, RegExp]>([
    ["a slope that is NaN", { slope: () => Number.NaN }, NonFiniteError, /gradient is NaN at 0/],
    ["a value that is NaN", { value: () => Number.NaN }, NonFiniteError, /F is NaN at the first point/],
    ["a loss without a slope", { slope: undefined }, ValueError, /loss.slope is undefined; give a function/],
  ])("%s does not pass for convergence", async (_name, part, kind, message) => {
    const loss = { value: (_i: number, z: number) => z * z, slope: (_i: number, z: number) => 2 * z };
    const run = async () =>
      bcd({ smooth: linearModel(A, { ...loss, curvature: () => 2, curvatureBound: 2, ...part } as RowLoss) });
    await expect(run()).rejects.toThrow(kind);
    await expect(run()).rejects.toThrow(message);
  });

  it.each<[unknown, unknown, RegExp]>([
    ["1", [0, 0], /value gave 1; it must give a number/],
    [undefined, [0, 0], /value gave undefined/],
    [tensor(1), [0, 0], /value gave a tensor/],
    [1, tensor([0, 0]), /gradient gave a tensor; it must give an array of 2/],
    [1, Promise.resolve([0, 0]), /gradient gave a promise/],
    [Infinity, [1, 1], /F is Infinity at the first point; F must be a number, and initial lie where it is finite/],
  ])("a value of %o with a gradient of %o", async (value, gradient, message) => {
    const objective = { n: 2, value: () => value, gradient: () => gradient } as BlockObjective;
    await expect(bcd({ smooth: objective })).rejects.toThrow(message);
  });
});

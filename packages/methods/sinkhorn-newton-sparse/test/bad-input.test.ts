import { describe, expect, it } from "vitest";
import {
  approximateSparsity,
  assignment,
  compiledSinkhorn,
  costMatrix,
  lyapunov,
  newtonDirection,
  sinkhorn,
  sinkhornNewtonSparse,
  sparsify,
  wasserstein1d,
} from "../src/index.js";

const cost = [
  [0, 1],
  [1, 0],
];
const solve = (problem: object, options: object = {}) =>
  sinkhornNewtonSparse({ cost, ...problem } as never, { eta: 10, ...options } as never);
const error = (name: string, message: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

describe("a wrong problem is refused with what to do", () => {
  it.each([
    [{ r: [0.5, -0.5] }, "ValueError", /r\[1\] is -0\.5; masses must be positive \(dropZeros/],
    [{ c: [1, 0] }, "ValueError", /c\[1\] is 0; masses must be positive \(dropZeros/],
    [{ r: [0.5, 0.6] }, "ValueError", /r sums to 1\.1; it must sum to 1 within 1e-9: divide it/],
    [
      { r: Float32Array.of(0.1, 0.9) },
      "ValueError",
      /r sums to 0\.9999999\d+; .*: cast it to float64, then divide it by its sum/,
    ],
    [{ r: [0.2, 0.3, 0.5] }, "ShapeError", /r has 3 masses where 2 are needed, one for each row/],
    [{ c: [[0.5, 0.5]] }, "ShapeError", /c has shape \[1,2\]; it must have one axis/],
    [
      {
        cost: [
          [0, Number.NaN],
          [1, 0],
        ],
      },
      "ValueError",
      /cost holds NaN at position 1; it must be finite/,
    ],
    [
      {
        cost: [
          [0, 1],
          [Infinity, 0],
        ],
      },
      "ValueError",
      /cost holds Infinity at position 2/,
    ],
    [{ cost: [0, 1] }, "ShapeError", /cost has shape \[2\]; it must have 2 axes/],
    [{ cost: new Float64Array(0) }, "ShapeError", /cost has shape/],
    [
      {
        cost: [
          [true, false],
          [true, true],
        ],
      },
      "DTypeError",
      /cost is of dtype bool/,
    ],
  ])("%j", async (problem, name, message) => {
    await expect(solve(problem)).rejects.toThrow(error(name, message));
  });

  it("masses by the names of another library are refused, as they would pass for none", async () => {
    await expect(solve({ a: [0.2, 0.8], b: [0.5, 0.5] } as never)).rejects.toThrow(
      error("ValueError", /a problem has no "a"; it is \{ cost, r, c \}/),
    );
    await expect(sinkhornNewtonSparse(null as never, { eta: 1 })).rejects.toThrow(
      error("ValueError", /the problem must be/),
    );
    const cost = [
      [0, 1],
      [1, 0],
    ];
    await expect(sinkhornNewtonSparse({ cost }, undefined as never)).rejects.toThrow(error("ValueError", /eta is/));
  });

  it("with dropZeros a negative mass still is", async () => {
    await expect(solve({ r: [1.5, -0.5] }, { dropZeros: true })).rejects.toThrow(
      error("ValueError", /masses must be >= 0/),
    );
  });
});

describe("a wrong option is refused with its range", () => {
  it.each([
    [{ n1: 3 }, /there is no option "n1"/],
    [{ reg: 3 }, /there is no option "reg"/],
    [{ eta: 0 }, /eta is 0; it must be a finite number > 0/],
    [{ eta: Number.NaN }, /eta is NaN/],
    [{ eta: undefined }, /eta is undefined/],
    [{ sinkhornIterations: -1 }, /sinkhornIterations is -1; it must be an integer >= 0/],
    [{ eta: "3" }, /eta is "3"; it must be a finite number > 0/],
    [{ newtonIterations: 1.5 }, /newtonIterations is 1\.5/],
    [{ keepPerRow: 0.5 }, /keepPerRow is 0\.5; it must be a finite number >= 1/],
    [{ lambda: 2 }, /lambda is 2; the kept part of the entries lies in \(0, 1\]/],
    [{ lambda: 0.5, keepPerRow: 2 }, /give one of them/],
    [{ tolerance: -1 }, /tolerance is -1; it must be a finite number >= 0/],
    [{ cgTolerance: Number.NaN }, /cgTolerance is NaN/],
    [{ cgMaxIterations: 0 }, /cgMaxIterations is 0; it must be an integer >= 1/],
    [{ newton: "half" }, /newton is "half"; it must be one of "sparse", "full"/],
    [{ linearSolver: "lu" }, /linearSolver is "lu"; it must be one of "auto", "cg", "dense"/],
    [{ gauge: "none" }, /gauge is "none"/],
    [{ gauge: "augmented", linearSolver: "dense" }, /augmented gauge is solved by conjugate gradients/],
    [{ anneal: "always" }, /anneal is "always"; it must be one of true, false, "auto"/],
    [{ strict: "no" }, /strict is "no"; it must be one of true, false/],
    [{ dropZeros: "no" }, /dropZeros is "no"; it must be one of true, false/],
    [{ cgTolerance: 2 }, /cgTolerance is 2; it must be in \[0, 1\)/],
    [{ initial: {} }, /initial has neither x nor y; give potentials/],
    [{ initial: { u: [0, 0] } }, /initial has neither x nor y/],
    [{ initial: { x: [Number.NaN, 0] } }, /initial\.x holds NaN/],
  ])("%j", async (options, message) => {
    await expect(solve({}, options)).rejects.toThrow(error("ValueError", message));
  });

  it("potentials of another length", async () => {
    await expect(solve({}, { initial: { y: [0, 0, 0] } })).rejects.toThrow(
      error("ShapeError", /initial\.y has 3 entries; it needs 2/),
    );
  });

  it("of the baselines and parts", async () => {
    await expect(sinkhorn({ cost }, { eta: 600, domain: "kernel" })).rejects.toThrow(
      error("ValueError", /from 500 on exp\(-eta C\) underflows/),
    );
    await expect(sinkhorn({ cost }, { eta: 1, omega: 2 })).rejects.toThrow(
      error("ValueError", /over-relaxation lies in \(0, 2\)/),
    );
    await expect(sinkhorn({ cost }, { eta: 1, omega: 1.2, domain: "kernel" })).rejects.toThrow(
      error("ValueError", /needs domain "log"/),
    );
    await expect(sinkhorn({ cost }, { eta: 1, domain: "exp" as never })).rejects.toThrow(
      error("ValueError", /domain is "exp"/),
    );
    expect(() => sparsify([[1, -1]], 1)).toThrow(error("ValueError", /plan holds -1/));
    expect(() => sparsify([[1, 1]], -1)).toThrow(error("ValueError", /k is -1/));
    expect(() => approximateSparsity([[1]], Number.NaN)).toThrow(error("ValueError", /eps is NaN/));
    expect(() =>
      newtonDirection(
        [
          [1, 0],
          [0, 0],
        ],
        {},
        1,
      ),
    ).toThrow(error("ValueError", /without mass/));
    expect(() => newtonDirection(cost, { a: [0.2, 0.8] } as never, 1)).toThrow(
      error("ValueError", /newtonDirection: masses: there is no option "a"/),
    );
    expect(() => lyapunov({ cost, a: [0.2, 0.8] } as never, 1, [0, 0], [0, 0])).toThrow(
      error("ValueError", /a problem has no "a"/),
    );
    expect(() => wasserstein1d({ positions: [0, 1], weights: [0.2, 0.8] } as never, { positions: [0] })).toThrow(
      error("ValueError", /source: there is no option "weights"/),
    );
    expect(() => newtonDirection(cost, {}, 1, { keep: -2 })).toThrow(error("ValueError", /keep is -2/));
    expect(() => lyapunov({ cost }, -1, [0, 0], [0, 0])).toThrow(error("ValueError", /eta is -1/));
    expect(() => assignment([[1], [2]])).toThrow(error("ShapeError", /no more rows than columns/));
    expect(() => costMatrix([[0, 1]], [[0]])).toThrow(error("ShapeError", /2 coordinates and those of b 1/));
    expect(() => costMatrix([[0, Number.NaN]], [[0, 1]])).toThrow(error("ValueError", /a holds NaN at position 1/));
    expect(() => costMatrix([[0]], [[0]], "cosine" as never)).toThrow(error("ValueError", /metric is "cosine"/));
    expect(() => wasserstein1d({ positions: [] }, { positions: [0] })).toThrow(
      error("ShapeError", /source.positions is empty/),
    );
    expect(() => wasserstein1d({ positions: [0] }, { positions: [0] }, 0.5)).toThrow(error("ValueError", /p is 0\.5/));
    await expect(compiledSinkhorn({ cost }, { eta: 1, stepsPerRun: 0 })).rejects.toThrow(
      error("ValueError", /stepsPerRun is 0/),
    );
    await expect(compiledSinkhorn({ cost }, { eta: 1, dtype: "int32" as never })).rejects.toThrow(
      error("ValueError", /dtype is "int32"/),
    );
  });
});

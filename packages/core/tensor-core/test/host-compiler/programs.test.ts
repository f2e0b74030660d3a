import { describe, expect, it } from "vitest";
import { randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import {
  add,
  arange,
  grad,
  less,
  mul,
  reshape,
  scan,
  scatterAdd,
  slice,
  sub,
  sum,
  type Tensor,
  tensor,
  vmap,
  whileLoop,
  zeros,
} from "../../src/index.js";
import { weightedSum } from "../properties/finite-differences.js";
import { disagreement } from "./agreement.js";

// Elements in locals, in memory, and both: the usual limit is among those of `random-programs.test.ts`, and
// `long-run.ts` beside this file runs as many as it is told.
describe("random programs with their gradients agree with their graphs", () => {
  for (const small of [0, 5]) {
    it(`with at most ${small} elements in locals`, () => {
      for (let seed = 0; seed < 60; seed++) {
        const program = randomProgram(new Source(7000 + 100 * small + seed), 4 + (seed % 12));
        const loss = (x: Tensor[]) => weightedSum(program.run(x));
        const f = (...x: Tensor[]) => [program.run(x), grad(loss)(x)];
        expect(disagreement(f, program.inputs, { small }), program.steps.join(" ")).toBeLessThan(1e-12);
      }
    });
  }
});

it("examples side by side are large enough for loops of vectors", () => {
  for (let seed = 0; seed < 20; seed++) {
    const program = randomProgram(new Source(9000 + seed), 3 + (seed % 6));
    const loss = (x: Tensor[]) => weightedSum(program.run(x));
    const mapped = (x: Tensor) => vmap((s: Tensor) => grad(loss)(program.inputs.map((y) => y.mul(s))))(x);
    const scales = program.inputs[0]
      .mul(0)
      .sum()
      .add(Float64Array.from({ length: 13 }, (_, i) => 0.5 + i / 20));
    expect(disagreement(mapped, [scales]), program.steps.join(" ")).toBeLessThan(1e-12);
  }
});

describe("a row that is added to a part of a loop's state", () => {
  const rows = (n: number, read: (buffer: Tensor, old: Tensor) => Tensor) => (x: Tensor) =>
    whileLoop(
      ({ i }: { i: Tensor; buffer: Tensor; seen: Tensor }) => less(i, n),
      ({ i, buffer, seen }) => {
        const next = scatterAdd(buffer, i, mul(x, add(i, 1)));
        return { i: add(i, 1), buffer: next, seen: add(seen, read(next, buffer)) };
      },
      { i: tensor(0, { dtype: "int32" }), buffer: zeros([n, 20], "float64"), seen: zeros([20], "float64") },
    );
  const x = tensor(
    Float64Array.from({ length: 20 }, (_, i) => i - 3),
    { dtype: "float64" },
  );

  it("is where it belongs", () => {
    expect(
      disagreement(
        rows(40, (next) => sum(next, 0)),
        [x],
      ),
    ).toBe(0);
  });

  it("leaves what is read of the state before", () => {
    expect(
      disagreement(
        rows(40, (next, old) => sub(sum(next, 0), mul(2, sum(old, 0)))),
        [x],
      ),
    ).toBe(0);
    expect(
      disagreement(
        rows(40, (_, old) => slice(old, [3])),
        [x],
      ),
    ).toBe(0);
  });

  it("leaves values from outside of the loop", () => {
    const base = (y: Tensor) => {
      const kept = add(zeros([6, 20], "float64"), y);
      const [last] = scan(
        (s: Tensor, i: Tensor) => [add(s, sum(scatterAdd(kept, i, y), 0)), null],
        y,
        arange(0, 6, 1, "int32"),
      );
      return [kept, last, scatterAdd(kept, 2, y), reshape(kept, [120])];
    };
    expect(disagreement(base, [x])).toBe(0);
  });
});

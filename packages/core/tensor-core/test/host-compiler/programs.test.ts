import { describe, expect, it } from "vitest";
import { randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import { grad, type Tensor, vmap } from "../../src/index.js";
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

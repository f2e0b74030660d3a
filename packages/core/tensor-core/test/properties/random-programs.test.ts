import { describe, expect, it } from "vitest";
import { type Program, randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import { grad, hvp, jit, jvp, scan, stack, type Tensor, tensor, trace, vmap } from "../../src/index.js";
import { expectAllClose } from "./comparison.js";
import { direction, gradientError, hessianError, type Loss, weightedSum } from "./finite-differences.js";

const COUNT = 500;
const programs: [number, Program][] = Array.from({ length: COUNT }, (_, seed) => [
  seed,
  randomProgram(new Source(1000 + seed), 4 + (seed % 12)),
]);

const lossOf =
  (program: Program): Loss =>
  (inputs) =>
    weightedSum(program.run(inputs));

const about = (seed: number, program: Program) => `program ${seed}: ${program.steps.join(" ")}`;

describe(`${COUNT} random compositions`, () => {
  it("use every kind of step", () => {
    const used = new Set(programs.flatMap(([, p]) => p.steps.map((s) => s.replace(/\(.*/, ""))));
    for (const name of [
      "matmul",
      "concatenate",
      "take",
      "scan",
      "cholesky",
      "inner gradient",
      "customVjp",
      "conv",
      "pow",
    ]) {
      expect(used).toContain(name);
    }
  });

  it("have the gradients of finite differences", () => {
    for (const [seed, program] of programs) {
      const error = gradientError(lossOf(program), program.inputs, new Source(seed), 1e-3);
      expect(error, about(seed, program)).toBeLessThan(1e-8);
    }
  });

  it("have the Hessian-vector products of finite differences of the gradient", () => {
    for (const [seed, program] of programs) {
      const error = hessianError(lossOf(program), program.inputs, new Source(seed), 1e-3);
      expect(error, about(seed, program)).toBeLessThan(1e-7);
    }
  });

  it("give the same values and gradients when traced", async () => {
    for (const [seed, program] of programs) {
      const f = (...x: Tensor[]) => [program.run(x), grad(lossOf(program))(x)];
      const [values, gradients] = await jit(f)(...program.inputs);
      expectAllClose(values, program.run(program.inputs), 1e-14, about(seed, program));
      expectAllClose(gradients, grad(lossOf(program))(program.inputs), 1e-12, about(seed, program));
    }
  });

  it("give the same Hessian-vector products when traced", async () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 5 === 0)) {
      const along = direction(program.inputs, new Source(seed));
      const f = (x: Tensor[], v: Tensor[]) => hvp(lossOf(program))(x, v) as Tensor[];
      expectAllClose(await jit(f)(program.inputs, along), f(program.inputs, along), 1e-11, about(seed, program));
    }
  });

  it("map over a batch as a loop does, with their gradients", () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 2 === 0)) {
      const source = new Source(seed);
      const examples = [0, 1, 2].map(() =>
        program.inputs.map((x, i) => x.add(direction([x], source)[0].mul(0.1 * (i + 1)))),
      );
      // Every other input is batched, the first always.
      const batched = program.inputs.map((_, i) => i % 2 === 0);
      const inputs = program.inputs.map((x, i) => (batched[i] ? stack(examples.map((e) => e[i])) : x));
      const inAxes = batched.map((b) => (b ? 0 : null));
      const f = (...x: Tensor[]) => [...program.run(x), ...grad(lossOf(program))(x)];
      const mapped = vmap(f, { inAxes })(...inputs);
      for (let k = 0; k < 3; k++) {
        const one = f(...program.inputs.map((x, i) => (batched[i] ? examples[k][i] : x)));
        expectAllClose(
          mapped.map((y) => y.slice([k])),
          one,
          1e-11,
          about(seed, program),
        );
      }
    }
  });

  it("have third derivatives of finite differences of the second", () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 10 === 2)) {
      const source = new Source(seed);
      const along = direction(program.inputs, source);
      // The second derivative along a direction is a scalar function again.
      const second: Loss = (x) => {
        const product = hvp(lossOf(program))(x, along) as Tensor[];
        return product.map((h, i) => h.mul(along[i]).sum()).reduce((a, b) => a.add(b));
      };
      expect(gradientError(second, program.inputs, source, 1e-3), about(seed, program)).toBeLessThan(1e-6);
    }
  });

  it("map their Hessian-vector products, and compile the mapped ones", async () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 10 === 3)) {
      const source = new Source(seed);
      const f = (...x: Tensor[]) => hvp(lossOf(program))(x, program.inputs) as Tensor[];
      const inputs = program.inputs.map((x) => stack([x, x.add(direction([x], source)[0].mul(0.1))]));
      const mapped = vmap(f)(...inputs);
      for (let k = 0; k < 2; k++) {
        expectAllClose(
          mapped.map((y) => y.slice([k])),
          f(...inputs.map((x) => x.slice([k]))),
          1e-10,
          about(seed, program),
        );
      }
      expectAllClose(await jit(vmap(f))(...inputs), mapped, 1e-10, about(seed, program));
    }
  });

  it("have the same gradient in the body of a loop, traced and eager", async () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 10 === 5)) {
      const loss = (x: Tensor[]) =>
        scan(
          (s: Tensor, v: Tensor) => [s.add(weightedSum(program.run(x.map((y) => y.mul(v)))).mul(s.cos())), s],
          program.inputs[0].mul(0).sum(),
          tensor(Float64Array.of(1, 0.9)),
        )[0];
      const f = (x: Tensor[]) => grad(loss)(x) as Tensor[];
      expectAllClose(await jit(f)(program.inputs), f(program.inputs), 1e-10, about(seed, program));
    }
  });

  it("are differentiable and mappable as graphs", () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 10 === 4)) {
      const graph = trace((...x: Tensor[]) => weightedSum(program.run(x)), ...program.inputs);
      const f = (x: Tensor[]) => graph.apply(x)[0];
      expectAllClose(grad(f)(program.inputs), grad(lossOf(program))(program.inputs), 1e-12, about(seed, program));
      const batch = program.inputs.map((x) => stack([x, x]));
      const mapped = vmap((...x: Tensor[]) => grad(f)(x) as Tensor[])(...batch);
      expectAllClose(
        mapped.map((y) => y.slice([1])),
        grad(f)(program.inputs),
        1e-11,
        about(seed, program),
      );
    }
  });

  it("have a jvp that agrees with the gradient", () => {
    for (const [seed, program] of programs.filter(([seed]) => seed % 5 === 1)) {
      const along = direction(program.inputs, new Source(seed));
      const [, slope] = jvp((...x: Tensor[]) => weightedSum(program.run(x)), program.inputs, along);
      const gradients = grad(lossOf(program))(program.inputs) as Tensor[];
      const expected = gradients.reduce((t, g, i) => t + g.mul(along[i]).sum().item(), 0);
      expect(Math.abs(slope.item() - expected) / Math.max(1, Math.abs(expected)), about(seed, program)).toBeLessThan(
        1e-11,
      );
    }
  });
});

import { describe, expect, it } from "vitest";
import { randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import {
  add,
  grad,
  hvp,
  jitAtPoint,
  jitSync,
  matmul,
  mul,
  random,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  vmap,
} from "../../src/index.js";
import { expectAllClose } from "../properties/comparison.js";
import { direction, weightedSum } from "../properties/finite-differences.js";

const f64 = (values: number | number[]) => tensor(values, { dtype: "float64" });

describe("jitAtPoint", () => {
  it("gives the Hessian products of random programs, with several vectors at several points", () => {
    for (let seed = 0; seed < 30; seed++) {
      const program = randomProgram(new Source(1000 + seed), 4 + (seed % 12));
      const product = (x: Tensor[], v: Tensor[]) => hvp((inputs: Tensor[]) => weightedSum(program.run(inputs)))(x, v);
      const source = new Source(seed);
      const kept = jitAtPoint(product);
      const points = [program.inputs, program.inputs.map((x) => mul(x, 1.01))];
      const along = points.map((x) => kept.at(x));
      for (let k = 0; k < 4; k++) {
        const v = direction(program.inputs, source);
        const expected = product(points[k % 2], v);
        expectAllClose(along[k % 2](v), expected, 1e-11, `program ${seed}: ${program.steps.join(" ")}`);
      }
      kept.release();
    }
  });

  it("carries out what depends on the point alone once", () => {
    const rng = random.rng("network");
    const [x, w0, w1] = [rng.normal([40, 6]), rng.normal([6, 5]), rng.normal([5, 1])];
    const loss = (w: Tensor[]) => sum(tanh(matmul(tanh(matmul(x, w[0])), w[1])));
    const product = jitAtPoint((w: Tensor[], v: Tensor[]) => hvp(loss)(w, v));
    const whole = jitSync((w: Tensor[], v: Tensor[]) => hvp(loss)(w, v));
    const { once, call } = product.program(
      [w0, w1],
      [w1, w0].map((w, i) => mul([w0, w1][i], w.size)),
    );
    const count = (graph: typeof once.graph, name: string) =>
      graph.equations.filter(({ primitive }) => primitive.name === name).length;
    expect(count(once.graph, "tanh")).toBe(2);
    expect(count(call.graph, "tanh")).toBe(0);
    const all = count(whole.program([w0, w1], [w0, w1]).graph, "matmul");
    expect(count(once.graph, "matmul")).toBeGreaterThanOrEqual(2);
    expect(count(once.graph, "matmul") + count(call.graph, "matmul")).toBe(all);
    expect(String(call)).toContain("product");
  });

  it("reads what is kept otherwise instead of keeping it twice", () => {
    const { once } = jitAtPoint((a: Tensor, v: Tensor) => add(matmul(transpose(mul(a, 2)), v), 0)).program(
      f64([1, 2, 3, 4]).reshape([2, 2]),
      f64([5, 6]).reshape([2, 1]),
    );
    expect(once.graph.equations.map(({ primitive }) => primitive.name)).toEqual(["mul"]);
  });

  it("keeps to the point as it was, and takes arguments of any shape", () => {
    const scaled = jitAtPoint((p: { w: Tensor }, x: Tensor, y: number) => add(mul(tanh(p.w), x), y));
    const point = { w: f64(0.5) };
    const at = scaled.at(point);
    const expected = (x: number, y: number) => Math.tanh(0.5) * x + y;
    expect(at(f64(2), 1).item()).toBeCloseTo(expected(2, 1), 14);
    point.w = f64(7);
    expect(at(f64([2, 3]), 1).toArray()).toEqual([expected(2, 1), expected(3, 1)]);
    expect(at(f64(4), 0).item()).toBeCloseTo(expected(4, 0), 14);
    scaled.release();
    expect(at(f64(5), 0).item()).toBeCloseTo(expected(5, 0), 14);
  });

  it("gives results that do not depend on the arguments, and the point itself", () => {
    const f = jitAtPoint((x: Tensor, v: Tensor) => ({ x, slope: grad((z: Tensor) => sum(mul(z, z)))(x), v }));
    const at = f.at(f64([1, 2]));
    for (const v of [f64([3, 4]), f64([5, 6])]) {
      const results = at(v);
      expect([results.x, results.slope, results.v].map((y) => y.toArray())).toEqual([[1, 2], [2, 4], v.toArray()]);
    }
  });

  it("lets results share memory where that is asked for", () => {
    const twice = jitAtPoint((x: Tensor, v: Tensor) => mul(x, v), { views: true }).at(f64([1, 2]));
    const view = twice(f64([1, 1]));
    twice(f64([3, 3]));
    expect(view.toArray()).toEqual([3, 6]);
    expect(() => jitAtPoint((x: Tensor) => x, { resident: true } as never)).toThrow("resident");
  });

  it("is the function itself inside a gradient or a batch", () => {
    const cube = jitAtPoint((x: Tensor, v: Tensor) => mul(mul(x, x), v)).at(f64(3));
    expect(grad((v: Tensor) => cube(v))(f64(2)).item()).toBe(9);
    expect(vmap((v: Tensor) => cube(v))(f64([1, 2])).toArray()).toEqual([9, 18]);
  });
});

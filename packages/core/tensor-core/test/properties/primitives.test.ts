import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { arrayCases } from "../../src/conformance/array-cases.js";
import { elementwiseCases } from "../../src/conformance/elementwise-cases.js";
import { linearAlgebraCases } from "../../src/conformance/linear-algebra-cases.js";
import { call, differentiable, type PrimitiveCase } from "../../src/conformance/primitive-case.js";
import { Source, sample } from "../../src/conformance/sampling.js";
import {
  cast,
  flip,
  grad,
  isTensor,
  jit,
  type Primitive,
  primitives,
  repeat,
  type Tensor,
  tensor,
  trace,
  transpose,
  vmap,
} from "../../src/index.js";
import { distance, expectAllClose } from "./comparison.js";
import { gradientError, hessianError, weightedSum } from "./finite-differences.js";

/** Primitives whose parameters are traced functions; control.test.ts has their properties. */
const HIGHER_ORDER = ["cond", "scan", "whileLoop"];

const table = [...elementwiseCases, ...arrayCases, ...linearAlgebraCases];
const byPrimitive = new Map<Primitive, PrimitiveCase[]>();
for (const entry of table) {
  byPrimitive.set(entry.primitive, [...(byPrimitive.get(entry.primitive) ?? []), entry]);
}

/** Text that tells which case failed. */
function label({ primitive, params, inputs }: PrimitiveCase): string {
  return `${primitive.name} ${JSON.stringify(params)} of ${inputs.map((x) => `${x.dtype}[${x.shape}]`).join(", ")}`;
}

function draw(entry: PrimitiveCase, seed: number, batched: readonly boolean[] = [], batch = 3): Tensor[] {
  const source = new Source(seed);
  return entry.inputs.map((spec, i) => sample(spec, source, batched[i] ? batch : undefined));
}

/** The values in memory of their own, row-major. */
function copy(x: Tensor): Tensor {
  return tensor(x.data().slice(), { shape: x.shape, dtype: x.dtype });
}

/** Equal tensors over memory of other orders. */
const LAYOUTS: Record<string, (x: Tensor) => Tensor> = {
  transposed: (x) => transpose(copy(transpose(x))),
  reversed: (x) => (x.rank === 0 ? x : flip(copy(flip(x)))),
  strided: (x) =>
    x.rank === 0 ? x : copy(repeat(x, 2, x.rank - 1)).slice([...x.shape.slice(1).map(() => null), { step: 2 }]),
  offset: (x) => (x.rank === 0 ? x : copy(repeat(x, 2, 0)).slice([{ start: x.shape[0] > 0 ? 1 : 0, step: 2 }])),
};

/** Outputs, or the error that was thrown. */
function outcome(entry: PrimitiveCase, inputs: readonly Tensor[]): Tensor[] | string {
  try {
    return call({ ...entry, prepare: undefined }, inputs);
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * What compiled code rounds otherwise than eager kernels do: functions that both approximate to an ulp, that is to twice
 * the unit roundoff (asin and acos to two and a half ulps), and then combine with a division or two (at most 9 roundoffs
 * apart); erf and erfc, of which it has a form of its own; products and sums of at most four and six terms, in another
 * order (at most 3 and 5 roundoffs on either side, of terms no larger than the scale by which `expectClose` divides). All
 * else is the same to the last bit.
 */
const ROUNDED = new Set([
  ...["exp", "expm1", "log1p", "cos", "asin", "acos", "tanh", "sigmoid", "softmax", "logSoftmax"],
  ...["erf", "erfc", "softplus", "logAddExp", "prod", "conv", "convInputGrad"],
]);
const UNIT_ROUNDOFF = 2 ** -53;

/** Primitives that are gone from a graph before a backend sees it. */
const INLINED = ["customCall", "stopGradient"];

it("the table has every primitive under its name", async () => {
  const folder = fileURLToPath(new URL("../../src/", import.meta.url));
  const defined = new Set<Primitive>();
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts") || !/Primitive</.test(readFileSync(join(folder, file), "utf8"))) continue;
    for (const value of Object.values(await import(join(folder, file))) as Partial<Primitive>[]) {
      if (typeof value === "object" && value !== null && "host" in value && "batch" in value)
        if (!INLINED.includes(value.name as string)) defined.add(value as Primitive);
    }
  }
  const listed = new Set<unknown>(Object.values(primitives));
  const names = (list: Iterable<Primitive>) => [...list].map((x) => x.name);
  expect(defined.size).toBeGreaterThan(80);
  expect(names([...defined].filter((x) => !listed.has(x))), "missing from the list of primitives").toEqual([]);
  expect(
    Object.entries(primitives).filter(([key, { name }]) => key !== name),
    "listed under another name",
  ).toEqual([]);
  expect(
    names([...defined].filter((x) => !byPrimitive.has(x) && !HIGHER_ORDER.includes(x.name))),
    "without a case in src/conformance",
  ).toEqual([]);
});

describe.each([...byPrimitive.entries()].map(([primitive, cases]) => [primitive.name, cases] as const))(
  "%s",
  (_, cases) => {
    it("has the gradient and the Hessian of finite differences", () => {
      for (const entry of cases) {
        const positions = differentiable(entry);
        if (positions.length === 0) continue;
        const inputs = draw(entry, 1);
        const loss = (variables: Tensor[]) => {
          const full = [...inputs];
          positions.forEach((at, i) => {
            full[at] = variables[i];
          });
          return weightedSum(call(entry, full));
        };
        const point = positions.map((at) => inputs[at]);
        for (const seed of [2, 3]) {
          expect(gradientError(loss, point, new Source(seed)), `${label(entry)}: gradient`).toBeLessThan(1e-8);
          expect(hessianError(loss, point, new Source(seed)), `${label(entry)}: Hessian`).toBeLessThan(1e-7);
        }
      }
    });

    it("maps over a batch as a loop does, whichever operands are batched", () => {
      for (const entry of cases) {
        const arity = entry.inputs.length;
        for (let choice = 1; choice < 1 << arity; choice++) {
          const batched = entry.inputs.map((__, i) => (choice >> i) % 2 === 1);
          const inputs = draw(entry, 4 + choice, batched);
          const example = (k: number) => inputs.map((x, i) => (batched[i] ? x.slice([k]) : x));
          const all = vmap((...x: Tensor[]) => call(entry, x), { inAxes: batched.map((b) => (b ? 0 : null)) })(
            ...inputs,
          );
          for (let k = 0; k < 3; k++) {
            expectAllClose(
              all.map((y) => y.slice([k])),
              call(entry, example(k)),
              1e-12,
              `${label(entry)} batched ${batched}`,
            );
          }
          // A batch of batches of one.
          const nested = vmap(
            vmap((...x: Tensor[]) => call(entry, x), { inAxes: batched.map((b) => (b ? 0 : null)) }),
            { inAxes: batched.map((b) => (b ? 0 : null)) },
          )(...inputs.map((x, i) => (batched[i] ? x.expandDims(1) : x)));
          expectAllClose(
            nested.map((y) => y.squeeze(1)),
            all,
            1e-12,
            `${label(entry)} batched twice ${batched}`,
          );
        }
      }
    });

    it("maps over a batch without examples", () => {
      for (const entry of cases) {
        const batched = entry.inputs.map(() => true);
        const inputs = draw(entry, 9, batched, 0);
        const expected = call(entry, draw(entry, 9)).map((y) => [0, ...y.shape]);
        const f = (...x: Tensor[]) => call(entry, x);
        expect(
          vmap(f)(...inputs).map((y) => y.shape),
          label(entry),
        ).toEqual(expected);
        const positions = differentiable(entry);
        if (positions.length === 0) continue;
        const slope = grad((variables: Tensor[], fixed: Tensor[]) => {
          const full = [...fixed];
          positions.forEach((at, i) => {
            full[at] = variables[i];
          });
          return weightedSum(f(...full));
        });
        const variables = positions.map((at) => inputs[at]);
        const gradients = vmap((...x: Tensor[]) => slope(x.slice(0, positions.length), x.slice(positions.length)))(
          ...variables,
          ...inputs,
        ) as Tensor[];
        expect(gradients.map((g) => g.shape)).toEqual(variables.map((x) => x.shape));
      }
    });

    it("gives the same when traced and when compiled", async () => {
      for (const entry of cases) {
        const inputs = draw(entry, 5);
        const f = (...x: Tensor[]) => call(entry, x);
        const eager = call(entry, inputs);
        expectAllClose(trace(f, ...inputs).apply(inputs), eager, 0, `${label(entry)}, traced`);
        const tolerance = ROUNDED.has(entry.primitive.name) ? 9 * UNIT_ROUNDOFF : 0;
        expectAllClose(await jit(f)(...inputs), eager, tolerance, `${label(entry)}, compiled`);
      }
    });

    it("does not depend on the layout of its operands in memory", () => {
      for (const entry of cases) {
        const drawn = draw(entry, 6);
        const inputs = entry.prepare ? entry.prepare(drawn) : drawn;
        const plain = { ...entry, prepare: undefined };
        const expected = call(plain, inputs.map(copy));
        for (const [name, layout] of Object.entries(LAYOUTS)) {
          expectAllClose(call(plain, inputs.map(layout)), expected, 1e-14, `${label(entry)}, ${name}`);
          inputs.forEach((__, i) => {
            const mixed = inputs.map((x, j) => (i === j ? layout(x) : copy(x)));
            expectAllClose(call(plain, mixed), expected, 1e-14, `${label(entry)}, operand ${i} ${name}`);
          });
        }
        // A broadcast view has strides of 0; the values change, so compare with their copies.
        const stretched = inputs.map((x) =>
          x.rank > 0 && x.shape[0] > 0 ? x.slice([{ stop: 1 }]).broadcastTo(x.shape) : x,
        );
        const [view, dense] = [outcome(entry, stretched), outcome(entry, stretched.map(copy))];
        if (typeof view === "string" || typeof dense === "string") expect(view).toBe(dense);
        else expectAllClose(view, dense, 1e-14, `${label(entry)}, broadcast`);
      }
    });

    it("agrees in float32 and float64", () => {
      for (const entry of cases) {
        const narrow = draw(entry, 7).map((x) => (x.dtype === "float64" ? cast(x, "float32") : x));
        const wide = narrow.map((x) => (x.dtype === "float32" ? cast(x, "float64") : x));
        const [low, high] = [call(entry, narrow), call(entry, wide)];
        low.forEach((y, i) => {
          if (high[i].dtype === "float64" && entry.primitive.name !== "cast")
            expect(y.dtype, label(entry)).toBe("float32");
          expect(distance(y, high[i]), label(entry)).toBeLessThan(entry.float32Tolerance ?? 2e-6);
        });
      }
    });

    it("gives tensors of the shapes and dtypes that its rule says", () => {
      for (const entry of cases) {
        const drawn = draw(entry, 8);
        const inputs = entry.prepare ? entry.prepare(drawn) : drawn;
        const specs = entry.primitive.outputs(inputs, entry.params);
        const outputs = call({ ...entry, prepare: undefined }, inputs);
        expect(outputs.every(isTensor)).toBe(true);
        expect(outputs.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
          specs.map(({ shape, dtype }) => ({ shape, dtype })),
        );
      }
    });
  },
);

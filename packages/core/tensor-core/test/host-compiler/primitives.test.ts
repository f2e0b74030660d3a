import { describe, expect, it } from "vitest";
import { primitiveCases } from "../../src/conformance/index.js";
import { call, type PrimitiveCase } from "../../src/conformance/primitive-case.js";
import { Source, sample } from "../../src/conformance/sampling.js";
import { bind, cast, type DType, type Primitive, primitives, scan, type Tensor, tensor } from "../../src/index.js";
import { disagreement, runBoth } from "./agreement.js";

const label = ({ primitive, params, inputs }: PrimitiveCase) =>
  `${primitive.name} ${JSON.stringify(params)} of ${inputs.map((x) => `${x.dtype}[${x.shape}]`).join(", ")}`;

describe("every primitive agrees with the host's kernel", () => {
  const cases = primitiveCases.map((entry, i) => {
    const inputs = entry.inputs.map((spec) => sample(spec, new Source(100 + i)));
    return { entry, inputs: entry.prepare ? entry.prepare(inputs) : inputs };
  });
  for (const small of [0, 16]) {
    it(`in float64, with at most ${small} elements in locals`, () => {
      for (const { entry, inputs } of cases) {
        const f = (...x: Tensor[]) => bind(entry.primitive, x, entry.params);
        expect(disagreement(f, inputs, { small }), label(entry)).toBeLessThan(2e-15);
      }
    });

    it(`in float32, with at most ${small} elements in locals`, () => {
      for (const { entry, inputs } of cases) {
        const narrow = inputs.map((x) => (x.dtype === "float64" ? cast(x, "float32") : x));
        const f = (...x: Tensor[]) => bind(entry.primitive, x, entry.params);
        expect(disagreement(f, narrow, { small }), label(entry)).toBeLessThan(5e-7);
      }
    });
  }

  it("in the body of a loop", () => {
    for (const { entry, inputs } of cases.filter((_, i) => i % 3 === 0)) {
      const f = (...x: Tensor[]) => twice(() => call({ ...entry, prepare: undefined }, x));
      expect(disagreement(f, inputs), label(entry)).toBeLessThan(2e-15);
    }
  });
});

/** The outputs, computed at both steps of a loop. */
function twice(compute: () => Tensor[]): Tensor[] {
  return scan((state: Tensor[]): [Tensor[], Tensor[]] => [state, compute()], [], null, { length: 2 })[1];
}

const special = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  1e-310,
  5e-324,
  -5e-324,
  1e308,
  -1e308,
  709.5,
  710,
  -745,
  -746,
  88.5,
  89,
  -103,
  -104,
  1e-40,
  2147483648,
  -2147483649,
  1e20,
  4294967297,
];
const whole = [0, 1, -1, 2, -2, 3, 7, -7, 46341, -46341, 65536, 2147483647, -2147483648, -2147483647, 1000000007, 12];

/** All pairs of values, and triples of neighbours among them; in locals every seventh of them. */
function operands(values: readonly number[], arity: number, dtype: DType, every = 1): Tensor[] {
  const n = values.length;
  const size = Math.ceil((arity === 1 ? n : n * n) / every);
  return Array.from({ length: arity }, (_, k) => {
    const at = (i: number) => (k === 0 ? i % n : k === 1 ? Math.floor(i / n) : (i + k) % n);
    return tensor(
      Array.from({ length: size }, (_, i) => values[at(i * every)]),
      { dtype },
    );
  });
}

describe("numbers at the edges are as the host's kernels give them", () => {
  // These are the host's own functions in compiled code too, and slow far out.
  const called = ["betainc", "gammainc", "gammaincc", "logBeta", "polygamma"];
  const elementwise = Object.values(primitives as Record<string, Primitive<any>>).filter(
    (p) => p.scalar !== undefined && !called.includes(p.name),
  );
  const arities: Record<string, number> = Object.fromEntries(
    primitiveCases.map((c) => [c.primitive.name, c.inputs.length]),
  );
  for (const dtype of ["float64", "float32", "int32", "bool"] as const) {
    it(`of ${dtype}`, () => {
      const values = dtype === "bool" ? [0, 1] : dtype === "int32" ? whole : special;
      for (const primitive of elementwise) {
        const arity = arities[primitive.name] ?? 1;
        for (const small of [0, 1000]) {
          const inputs = operands(values, arity, dtype, small > 0 && arity > 1 ? 7 : 1);
          if (primitive.name === "where") inputs[0] = cast(inputs[0], "bool");
          try {
            primitive.outputs(inputs, null);
          } catch {
            continue;
          }
          const { first, expected } = runBoth((...x: Tensor[]) => bind(primitive, x, null), inputs, { small });
          expectSame(first[0], expected[0], `${primitive.name} ${dtype} ${small}`);
        }
      }
    });
  }

  it("of conversions", () => {
    for (const from of ["float64", "float32", "int32", "bool"] as const) {
      const values = from === "bool" ? [0, 1] : from === "int32" ? whole : special;
      const inputs = operands(values, 1, from);
      for (const to of ["float64", "float32", "int32", "bool"] as const) {
        for (const small of [0, 1000]) {
          const { first, expected } = runBoth((x) => cast(x, to), inputs, { small });
          expectSame(first[0], expected[0], `${from} to ${to}`);
        }
      }
    }
  });
});

/** The same up to a few units in the last place, with the same sign of zero but for extremes. */
function expectSame(actual: Tensor, expected: Tensor, what: string): void {
  const [a, b] = [actual.data(), expected.data()];
  const epsilon = expected.dtype === "float32" ? 6e-7 : 1.2e-15;
  const tiny = expected.dtype === "float32" ? 3e-45 : 1e-323;
  for (let i = 0; i < b.length; i++) {
    const same = Object.is(a[i], b[i]) || (a[i] === 0 && b[i] === 0 && /^(maximum|minimum)/.test(what));
    const near = Math.abs(a[i] - b[i]) <= Math.abs(b[i]) * epsilon + tiny;
    if (!same && !(near && b[i] !== 0)) expect.fail(`${what}: element ${i} is ${a[i]} instead of ${b[i]}`);
  }
}

import { describe, expect, it } from "vitest";
import { randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import {
  add,
  arange,
  cond,
  eye,
  grad,
  jitSync,
  less,
  linalg,
  matmul,
  mul,
  random,
  reshape,
  scan,
  scatterAdd,
  scatterSet,
  slice,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  vmap,
  where,
  whileLoop,
  zeros,
} from "../../src/index.js";
import { unwritten } from "../../src/internal.js";
import { weightedSum } from "../properties/finite-differences.js";
import { disagreement } from "./agreement.js";

// Elements in locals, in memory, and both: the usual limit is among those of `random-programs.test.ts`, a thousand
// programs with them, and `long-run.ts` beside this file runs as many as it is told.
describe("random programs with their gradients agree with their graphs", () => {
  for (const small of [0, 5]) {
    it(`with at most ${small} elements in locals`, () => {
      for (let seed = 0; seed < 250; seed++) {
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

describe("rows that are written into room that was not filled", () => {
  const x = tensor(
    Float64Array.from({ length: 20 }, (_, i) => i - 3),
    { dtype: "float64" },
  );
  /** Writes 7 of 9 rows, each of them twice. */
  const write = (y: Tensor) =>
    whileLoop(
      ({ i }: { i: Tensor; rows: Tensor }) => less(i, 7),
      ({ i, rows }) => ({ i: add(i, 1), rows: scatterSet(scatterSet(rows, i, y), i, mul(y, add(i, 1))) }),
      { i: tensor(0, { dtype: "int32" }), rows: unwritten([9, y.size], y) },
    ).rows.slice([{ stop: 7 }]);

  it("are there", () => {
    expect(disagreement(write, [x])).toBe(0);
    expect(disagreement((y: Tensor) => write(y.slice([{ stop: 2 }])), [x])).toBe(0);
    expect(disagreement((y: Tensor) => vmap(write)(reshape(y, [4, 5])), [x])).toBe(0);
  });

  it("cost no copy of the room", async () => {
    const text = String(await jitSync(write).program(x));
    expect(text).toContain("scatterSet");
    expect(text).not.toContain("[180]");
  });
});

describe("a loop in a loop that goes on with a part of its state", () => {
  const int = (value: number) => tensor(value, { dtype: "int32" });
  /** Adds two rows in every step of the outer loop; `read` sees the rows before and after. */
  const nested =
    (n: number, read: (after: Tensor, before: Tensor) => Tensor, apart = false) =>
    (x: Tensor) =>
      whileLoop(
        ({ i }: { i: Tensor; rows: Tensor; seen: Tensor }) => less(i, n),
        ({ i, rows, seen }) => {
          const start = apart ? mul(rows, 1) : rows;
          const { rows: after } = whileLoop(
            ({ k }: { k: Tensor; rows: Tensor }) => less(k, 2),
            ({ k, rows: inner }) => ({ k: add(k, 1), rows: scatterAdd(inner, i, mul(x, add(k, 1))) }),
            { k: int(0), rows: start },
          );
          return { i: add(i, 1), rows: after, seen: add(seen, read(after, rows)) };
        },
        { i: int(0), rows: zeros([n, 20], "float64"), seen: zeros([20], "float64") },
      );
  const x = tensor(
    Float64Array.from({ length: 20 }, (_, i) => i - 3),
    { dtype: "float64" },
  );

  it("works where that lies, and leaves what is read of the state before", () => {
    for (const read of [
      (after: Tensor) => sum(after, 0),
      (after: Tensor, before: Tensor) => sub(sum(after, 0), mul(2, sum(before, 0))),
      (_: Tensor, before: Tensor) => slice(before, [3]),
    ]) {
      expect(disagreement(nested(9, read), [x])).toBe(0);
    }
  });

  it("leaves values from outside, and what is both its first state and read in it", () => {
    const outside = (y: Tensor) => {
      const kept = add(zeros([6, 20], "float64"), y);
      const [last] = scan(
        (s: Tensor, i: Tensor) => {
          const { rows } = whileLoop(
            ({ k }: { k: Tensor; rows: Tensor }) => less(k, 3),
            ({ k, rows: inner }) => ({ k: add(k, 1), rows: scatterAdd(inner, i, take(kept, k)) }),
            { k: int(0), rows: kept },
          );
          return [add(s, sum(rows, 0)), null];
        },
        y,
        arange(0, 6, 1, "int32"),
      );
      return [kept, last];
    };
    expect(disagreement(outside, [x])).toBe(0);
  });

  it("needs no memory of its own", () => {
    const seen = (apart: boolean) => (y: Tensor) => nested(500, (after) => slice(after, [0]), apart)(y).seen;
    const bytes = (apart: boolean) => jitSync(seen(apart)).program(x).bytes ?? 0;
    const rows = 500 * 20 * 8;
    expect(bytes(false)).toBeLessThan(1.5 * rows);
    expect(bytes(true)).toBeGreaterThan(2 * rows);
  });
});

describe("a large state", () => {
  const x = random.rng("state").normal([6, 6], { dtype: "float64" });
  const loop = (step: (s: Tensor, t: Tensor) => [Tensor, Tensor, unknown]) => (y: Tensor) =>
    scan(
      ([s, t]: [Tensor, Tensor], i: Tensor) => {
        const [u, v, out] = step(s, mul(t, i));
        return [[u, v], out] as [[Tensor, Tensor], never];
      },
      [y, mul(y, 0.5)],
      tensor([0.7, -0.3, 0.9], { dtype: "float64" }),
    );

  it("is what the old one makes of it, whatever else reads that", () => {
    const steps: ((s: Tensor, t: Tensor) => [Tensor, Tensor, unknown])[] = [
      (s, t) => [add(s, t), t, null],
      (s, t) => [t, s, s],
      (s, t) => [add(s, t), sub(s, t), [add(s, t), sum(s, 1)]],
      (s, t) => [sub(mul(s, 0.5), t), mul(s, t), sum(s)],
      (s, t) => [add(s, transpose(s)), add(t, slice(s, [{ step: -1 }])), s],
      (s, t) => [mul(s, 0.9), matmul(s, t), slice(s, [1])],
      (_, t) => [matmul(t, t), add(t, 1), matmul(t, t)],
      (s, t) => {
        const both = mul(s, t);
        return [both, both, [both, both]];
      },
      (s, t) => [reshape(add(reshape(s, [36]), 1), [6, 6]), where(less(s, t), s, t), less(s, t)],
      (s, t) => [
        cond(
          less(sum(s), 0),
          () => mul(s, 2),
          () => t,
        ),
        s,
        null,
      ],
    ];
    for (const step of steps) {
      const f = loop(step);
      for (const small of [0, 16]) {
        expect(disagreement(f, [x], { small }), String(step)).toBeLessThan(1e-14);
        expect(
          disagreement((y: Tensor) => vmap(f)(stack([y, mul(y, 2)])), [x], { small }),
          String(step),
        ).toBeLessThan(1e-14);
      }
      const total = (y: Tensor) => sum(square(f(y)[0][0]));
      expect(
        disagreement((y: Tensor) => grad(total)(y), [x]),
        String(step),
      ).toBeLessThan(1e-12);
    }
  });

  it("made element by element is written where the old one lies, and into the rows that keep it", () => {
    const f = (y: Tensor) => scan((s: Tensor) => [mul(add(s, 1), 0.5), mul(add(s, 1), s)], y, null, { length: 5 });
    const inside = String(jitSync(f).program(x))
      .split("\n")
      .filter((line) => line.startsWith("    "));
    expect(inside).toEqual([expect.stringContaining("add, mul, mul")]);
  });
});

describe("linear systems in a compiled function", () => {
  const rng = random.rng("systems");
  const numbers = (shape: number[]) => rng.normal(shape, { dtype: "float64" });

  it("agree with the host's kernels at all sizes and in both triangles", () => {
    for (const n of [1, 2, 3, 4, 5, 6, 7, 8, 13, 40, 95, 97]) {
      const a = add(numbers([n, n]), mul(eye(n, n, "float64"), 2));
      const b = numbers([n]);
      const factors = (x: Tensor) => [linalg.luFactor(x).lu, linalg.luFactor(x).order];
      expect(disagreement(factors, [a]), `lu of ${n}`).toBeLessThan(1e-12);
      for (const lower of [true, false]) {
        for (const transposeA of [true, false]) {
          for (const unitDiagonal of [true, false]) {
            const form = { lower, transposeA, unitDiagonal };
            const solved = (x: Tensor, y: Tensor) =>
              linalg.triangularSolve(add(mul(x, 0.1), eye(n, n, "float64")), y, form);
            expect(disagreement(solved, [a, b]), `${n}, ${JSON.stringify(form)}`).toBeLessThan(1e-13);
          }
        }
      }
    }
  });

  it("say what the host's kernels say of matrices that are singular or no numbers", () => {
    const solved = jitSync((x: Tensor) => linalg.triangularSolve(x, zeros([3], "float64")));
    expect(() => solved(zeros([3, 3], "float64"))).toThrow(/pivot 0 is 0/);
    const larger = jitSync((x: Tensor) => linalg.triangularSolve(x, zeros([9], "float64")));
    const holed = mul(eye(9, 9, "float64"), tensor([1, 1, 1, 1, 1, 0, 1, 1, 1], { dtype: "float64" }));
    expect(() => larger(holed)).toThrow(/pivot 5 is 0/);
    const factored = jitSync((x: Tensor) => linalg.luFactor(x).lu);
    expect(() => factored(mul(zeros([3, 3], "float64"), Number.NaN))).toThrow(/finite|NaN/);
    expect(factored(zeros([3, 3], "float64")).toArray()).toEqual(zeros([3, 3], "float64").toArray());
  });
});

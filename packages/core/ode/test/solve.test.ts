import { mul, neg, type Tensor, tensor } from "@offprint/tensor-core";
import { errorLike, expectClose, f64 } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type MethodName, makeSolver, solve, solveSync } from "../src/index.js";
import { arenstorf, brusselator, lorenz, type Problem, robertson, vanDerPol } from "./problems.js";

const decay = (_t: number, y: number) => -y;

describe("end states agree with SciPy's at tight tolerances", () => {
  const cases: [string, Problem, MethodName, number, number, number][] = [
    ["the Lorenz system, dop853", lorenz, "dop853", 1e-13, 1e-13, 1e-5],
    ["the Lorenz system, tsit5", lorenz, "tsit5", 1e-12, 1e-12, 1e-4],
    ["Arenstorf's orbit closes, dop853", arenstorf, "dop853", 1e-12, 1e-12, 1e-5],
    ["van der Pol's stiff oscillator, rodas4", vanDerPol, "rodas4", 1e-8, 1e-8, 1e-4],
    ["Robertson's reaction, rodas4", robertson, "rodas4", 1e-8, 1e-12, 1e-6],
    ["the Brusselator with diffusion, rodas4", brusselator, "rodas4", 1e-7, 1e-7, 1e-5],
  ];
  for (const [name, problem, method, relativeTolerance, absoluteTolerance, allowed] of cases) {
    it(`${name}, of tensors and of plain numbers`, () => {
      const { y0, t1, end } = problem;
      const options = { method, relativeTolerance, absoluteTolerance };
      const traced = solveSync(problem.traced, f64(y0, [y0.length]), [0, t1], options);
      expectClose(traced.end.y, end, allowed);
      const plain = solveSync(problem.plain, y0, [0, t1], options);
      expectClose(plain.end.y, end, 3 * allowed);
      expect(plain.status).toBe("converged");
    });
  }
});

describe("time", () => {
  it("goes on from a standstill at a tolerance whose square is 0", () => {
    for (const method of ["tsit5", "dop853", "rodas4"] as const) {
      const { end, status } = solveSync((t: number) => t, 0, [0, 1], {
        method,
        absoluteTolerance: 1e-200,
        maxSteps: 200,
      });
      expect(status).toBe("converged");
      expectClose(end.y, 0.5, 1e-9);
    }
  });

  it("runs backwards, and back again", () => {
    const options = { relativeTolerance: 1e-10, absoluteTolerance: 1e-12 };
    const there = solveSync(lorenz.plain, lorenz.y0, [0, 0.5], options);
    const back = solveSync(lorenz.plain, there.end.y, [0.5, 0], options);
    expectClose(back.end.y, lorenz.y0, 1e-7);
    expect(back.stepSizes.every((h) => h < 0)).toBe(true);
    expectClose(back.at(0.2), there.at(0.2), 1e-6);
  });

  it("saved times do not change the steps; forced stops do, and are met", () => {
    const free = solveSync(decay, 1, [0, 2]);
    const saved = solveSync(decay, 1, [0, 2], { saveAt: [0, 0.5, 1.234, 2] });
    expect([...saved.stepTimes]).toEqual([...free.stepTimes]);
    expectClose(
      saved.y,
      [0, 0.5, 1.234, 2].map((t) => Math.exp(-t)),
      1e-6,
    );
    const forced = solveSync(decay, 1, [0, 2], { stopAt: [0.7, 0.1] });
    expect([...forced.stepTimes]).toEqual(expect.arrayContaining([0.1, 0.7]));
    expectClose(forced.end.y, Math.exp(-2), 1e-6);
  });

  it("an empty span is the beginning", () => {
    const { t, y, steps, status, at } = solveSync(decay, 3, [1, 1]);
    expect([...t, ...y, steps, status, at(1)]).toEqual([1, 3, 0, "converged", 3]);
  });

  it("a jump in the rate needs few steps where it is a forced stop", () => {
    const jump = (t: number, _y: number) => (t < 0.5 ? 1 : -1);
    const known = solveSync(jump, 0, [0, 1], { stopAt: [0.5] });
    const unknown = solveSync(jump, 0, [0, 1]);
    expectClose(known.end.y, 0, 1e-12);
    expect(known.rejected).toBe(0);
    expect(unknown.rejected).toBeGreaterThan(3);
  });
});

describe("events", () => {
  /** A ball that falls from 10: height and speed. */
  const ball = (_t: number, [, v]: Float64Array) => [v, -9.81];
  const height = (_t: number, [x]: Float64Array) => x;

  it("a terminal one ends the solution where it is", async () => {
    const { end, events, status, t, at } = await solve(ball, [10, 0], [0, 5], {
      events: [{ value: height, terminal: true }],
    });
    expect(status).toBe("event");
    expectClose(end.t, Math.sqrt(20 / 9.81), 1e-9);
    expect(events[0].t).toBe(end.t);
    expect(t.at(-1)).toBe(end.t);
    expectClose(at(end.t / 2)[0], 10 - (9.81 / 8) * end.t ** 2, 1e-7);
    expect(() => at(end.t + 0.1)).toThrow(errorLike("ValueError", /outside the solution/));
  });

  it("are found however small their values are", () => {
    const { status, end } = solveSync(ball, [10, 0], [0, 5], {
      events: [{ value: (_t, [x]) => 1e-200 * x, terminal: true }],
    });
    expect(status).toBe("event");
    expectClose(end.t, Math.sqrt(20 / 9.81), 1e-9);
  });

  it("others are marked, in order, by direction", async () => {
    const wave = (_t: number, [x, v]: Float64Array) => [v, -x];
    const solution = await solve(wave, [1, 0], [0, 20], {
      relativeTolerance: 1e-9,
      absoluteTolerance: 1e-9,
      events: [
        { value: (_t, [x]) => x, direction: "falling" },
        { value: (_t, [, v]) => v, direction: "rising", terminal: 2 },
      ],
    });
    const falls = solution.events.filter(({ event }) => event === 0).map(({ t }) => t);
    expectClose(falls, [Math.PI / 2, 2.5 * Math.PI], 1e-7);
    expectClose(solution.end.t, 3 * Math.PI, 1e-7);
    expect(solution.status).toBe("event");
  });

  it("are found of tensors too, and saved times end with them", () => {
    const solution = solveSync(
      (_t: Tensor, { x, v }: { x: Tensor; v: Tensor }) => ({ x: v, v: mul(x, -1) }),
      { x: f64([1], []), v: f64([0], []) },
      [0, 9],
      { saveAt: [0.5, 1, 2], events: [{ value: (_t: Tensor, { x }: { x: Tensor }) => x, terminal: true }] },
    );
    expectClose(solution.end.t, Math.PI / 2, 1e-6);
    expect([...solution.t]).toEqual([0.5, 1]);
    expectClose(solution.y.x, [Math.cos(0.5), Math.cos(1)], 1e-6);
  });
});

describe("options", () => {
  it("parameters reach events of plain numbers", () => {
    const { status, end } = solveSync(
      (_t: number, [y]: Float64Array, k: { rate: number }) => [-k.rate * y],
      [1],
      [0, 9],
      {
        parameters: { rate: 2 },
        events: [{ value: (_t: number, [y]: Float64Array, k: { rate: number }) => y - k.rate / 4, terminal: true }],
      },
    );
    expect(status).toBe("event");
    expectClose(end.t, Math.log(2) / 2, 1e-6);
  });

  it("parameters reach plain and traced right-hand sides, and new ones need no new compilation", () => {
    const plain = solveSync((_t: number, y: number, k: { rate: number }) => -k.rate * y, 1, [0, 1], {
      parameters: { rate: 3 },
    });
    expectClose(plain.end.y, Math.exp(-3), 1e-6);
    const solver = makeSolver((_t: Tensor, y: Tensor, rate: Tensor) => mul(y, neg(rate)));
    for (const rate of [1, 2]) {
      const { end } = solver.solveSync(f64([1, 2], [2]), [0, 1], { parameters: tensor(rate, { dtype: "float64" }) });
      expectClose(end.y, [Math.exp(-rate), 2 * Math.exp(-rate)], 1e-6);
    }
    solver.release();
  });

  it("tolerances may differ from entry to entry", () => {
    const steps = (absoluteTolerance: number[]) =>
      solveSync((_t: number, [a, b]: Float64Array) => [-a, -50 * b], [1, 1e-6], [0, 1], { absoluteTolerance }).steps;
    expect(steps([1e-6, 1])).toBeLessThan(steps([1e-6, 1e-12]));
  });

  it("samples are measured one by one where it is told to", () => {
    const f = (_t: Tensor, y: Tensor) => mul(y, f64([-1, -1, -1, -30], [4, 1]));
    const y0 = f64([1, 1, 1, 1], [4, 1]);
    const [state, samples] = (["state", "samples"] as const).map((norm) => solveSync(f, y0, [0, 1], { norm }).steps);
    expect(samples).toBeGreaterThan(state);
  });

  it("a Jacobian of one's own serves stiff methods", () => {
    const jacobian = (_t: number, [x, v]: Float64Array) => [
      [0, 1],
      [-2000 * x * v - 1, 1000 * (1 - x * x)],
    ];
    const { end } = solveSync(vanDerPol.plain, vanDerPol.y0, [0, vanDerPol.t1], {
      method: "rodas4",
      jacobian,
      relativeTolerance: 1e-8,
      absoluteTolerance: 1e-8,
    });
    expectClose(end.y, vanDerPol.end, 1e-4);
  });

  it("without dense output only what is asked for is kept", () => {
    const solution = solveSync(decay, 1, [0, 1], { dense: false });
    expect([...solution.t]).toEqual([1]);
    expectClose(solution.y, [Math.exp(-1)], 1e-6);
    expect(() => solution.at(0.5)).toThrow(errorLike("UnsupportedError", /dense: false/));
  });

  it("right-hand sides that read values run uncompiled", () => {
    const f = (_t: Tensor, y: Tensor) => (y.item() > 0.5 ? mul(y, -1) : mul(y, -2));
    expect(() => solveSync(f, f64([1], []), [0, 0.1])).toThrow(errorLike("TraceError", /./));
    const { end } = solveSync(f, f64([1], []), [0, 0.1], { compile: false });
    expectClose(end.y, Math.exp(-0.1), 1e-6);
  });

  it("refuses what makes no sense, by name", () => {
    const wrong =
      (options: object, f: any = decay, y0: any = 1, span: any = [0, 1]) =>
      () =>
        solveSync(f, y0, span, options);
    expect(wrong({ rtol: 1e-3 })).toThrow(errorLike("ValueError", /"rtol"; did you mean "relativeTolerance"/));
    expect(wrong({ relativeTolerance: -1 })).toThrow(errorLike("ValueError", /relativeTolerance/));
    expect(wrong({ method: "rk45" })).toThrow(errorLike("ValueError", /method/));
    expect(wrong({ method: "rk4" })).toThrow(errorLike("ValueError", /stepSize/));
    expect(wrong({ saveAt: [0.5, 2] })).toThrow(errorLike("ValueError", /saveAt holds 2/));
    expect(wrong({ events: [{ value: 3 }] })).toThrow(errorLike("ValueError", /events\[0\].value/));
    expect(wrong({ norm: "samples" })).toThrow(errorLike("ValueError", /samples/));
    expect(wrong({}, decay, 1, [0, Number.NaN])).toThrow(errorLike("ValueError", /span/));
    expect(wrong({}, decay, [])).toThrow(errorLike("ValueError", /empty/));
    expect(wrong({}, decay, Number.NaN)).toThrow(errorLike("ValueError", /y0/));
    expect(wrong({}, 5)).toThrow(errorLike("ValueError", /right-hand side/));
    expect(wrong({}, () => [1, 2], [1])).toThrow(errorLike("ShapeError", /returned 2 numbers at t = 0/));
    expect(wrong({}, () => "x", [1])).toThrow(errorLike("ValueError", /returned x/));
    expect(wrong({}, () => Number.NaN)).toThrow(errorLike("NonFiniteError", /t = 0/));
    expect(wrong({}, (_t: Tensor, _y: Tensor) => f64([1, 2], [2]), f64([1], [1]))).toThrow(
      errorLike("ShapeError", /shape/),
    );
    expect(wrong({ absoluteTolerance: [1, 2, 3] }, (_t: number, y: number[]) => y, [1, 2])).toThrow(
      errorLike("ShapeError", /absoluteTolerance/),
    );
  });

  it("names the time where a solution ends", async () => {
    const blowUp = await solve((_t: number, y: number) => y * y, 1, [0, 2]).catch(
      (error: unknown) => error as Error & { state: { inner: { progress: { t: { item(): number } } } } },
    );
    expect(blowUp).toMatchObject({ name: "NonFiniteError", message: expect.stringMatching(/t = 1\.0|t = 0\.99/) });
    expect(
      (blowUp as { state: { inner: { progress: { t: { item(): number } } } } }).state.inner.progress.t.item(),
    ).toBeCloseTo(1, 3);
  });
});

import { checkOptions, NonFiniteError, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type RunSubject, runConformance } from "../src/conformance/index.js";
import {
  type Loop,
  makeBreather,
  type RunOptions,
  type RunState,
  runLoop,
  runLoopSync,
  runOptionNames,
} from "../src/index.js";

interface Point {
  readonly x: number;
  readonly random: number;
}

interface Step {
  readonly iteration: number;
  readonly x: number;
}

interface DescentOptions extends RunOptions<Step, RunState<Point, Step>> {
  readonly maxIterations?: number;
  readonly stepSize?: number;
  readonly tolerance?: number;
  readonly seed?: number | string;
}

/** A generator of pseudorandom integers: its state is the last one (Park and Miller 1988). */
const draw = (seed: number) => (seed * 48271) % 2147483647;

/** Descends x^2 / 2 from `initial` with a little noise. */
async function descend(initial: number, options: DescentOptions = {}) {
  checkOptions("descend", options, ["maxIterations", "stepSize", "tolerance", "seed", ...runOptionNames]);
  const { maxIterations = 100, stepSize = 0.1, tolerance = 1e-3, seed = 1 } = options;
  if (!Number.isSafeInteger(maxIterations) || maxIterations < 0) throw new RangeErrorOf("maxIterations", maxIterations);
  if (!(stepSize > 0)) throw new RangeErrorOf("stepSize", stepSize);
  if (!Number.isFinite(initial)) throw new RangeErrorOf("initial", initial);
  const first = 1 + [...String(seed)].reduce((sum, character) => sum + character.charCodeAt(0), 0);
  const loop: Loop<Point, Step> = {
    owner: "descend",
    limit: maxIterations,
    initial: () => ({ x: initial, random: first }),
    step: ({ x, random }) => {
      const next = draw(random);
      const value = x - stepSize * x + 1e-3 * (next / 2147483647 - 0.5);
      if (!Number.isFinite(value)) throw new NonFiniteError("x is not finite");
      return { x: value, random: next };
    },
    record: ({ x }, iteration) => ({ iteration, x }),
    finished: ({ x }) => (Math.abs(x) < tolerance ? "converged" : undefined),
  };
  const { last, ...run } = await runLoop(loop, options);
  return { ...run, x: last.x };
}

class RangeErrorOf extends NonFiniteError {
  constructor(option: string, value: unknown) {
    super(`descend: ${option} is ${String(value)}`);
    Object.defineProperty(this, "name", { value: "ValueError" });
  }
}

runConformance(
  "a descent",
  {
    run: (options) => descend(1, options),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 1e12, tolerance: 0 },
    seeded: true,
    invalid: [{ stepSize: -1 }, { stepSize: Number.NaN }],
    nonFinite: [() => descend(Number.NaN), () => descend(1, { stepSize: 1e200, tolerance: 0 })],
  },
  { describe, it, expect },
);

describe("the contract's abort at work", () => {
  const subject: RunSubject = {
    run: (options) => descend(1, options),
    limit: "maxIterations",
    short: 6,
    endless: { maxIterations: 6 },
    seeded: true,
    invalid: [],
    nonFinite: [],
  };
  /** The one test of the suite, for a method. */
  const tested = async (run: RunSubject["run"]) => {
    const bodies: (() => unknown)[] = [];
    const collect = (name: string, body: () => unknown) => void (name.includes("timer") && bodies.push(body));
    runConformance("", { ...subject, run }, { describe: (_, body) => body(), it: collect, expect });
    expect(bodies.length).toBe(1);
    await bodies[0]();
  };

  it("does not ask how long the work takes", async () => {
    const { now } = performance;
    await tested(subject.run);
    expect(performance.now).toBe(now);
  });

  it("finds a method that lets nobody else have a turn", async () => {
    const selfish: RunSubject["run"] = async ({ signal }) => {
      const breather = makeBreather();
      const history: number[] = [];
      for (let k = 0; k < 100 && !signal?.aborted; k++) {
        breather.due();
        history.push(await Promise.resolve(k));
      }
      return { status: signal?.aborted ? "aborted" : "limit", history, state: {} };
    };
    await expect(tested(selfish)).rejects.toThrow(/limit/);
  });
});

describe("a run", () => {
  it("says converged, and asks before the first iteration too", async () => {
    expect((await descend(1)).status).toBe("converged");
    const there = await descend(0);
    expect([there.status, there.iterations, there.history.length]).toEqual(["converged", 0, 0]);
  });

  it("carries the last good state where it stops being finite", async () => {
    const failed = await descend(1, { stepSize: 1e80, tolerance: 0 }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NonFiniteError);
    const { state, message } = failed as NonFiniteError;
    const { iterations, inner } = state as RunState<Point, Step>;
    expect(iterations).toBe(3);
    expect(Number.isFinite(inner.x)).toBe(true);
    expect(message).toMatch(/^descend: iteration 4: /);
  });

  it("is the same in one go", async () => {
    const loop: Loop<number, number> = {
      owner: "halve",
      limit: 50,
      initial: () => 1,
      step: (x) => x / 2,
      record: (x) => x,
      finished: (x) => (x < 1e-3 ? "converged" : undefined),
    };
    const [waiting, once] = [await runLoop(loop), runLoopSync(loop)];
    expect(tree.toJson({ ...once })).toBe(tree.toJson({ ...waiting }));
    expect(() => runLoopSync({ ...loop, step: async (x) => x / 2 })).toThrow(/promise/);
  });

  it("counts the iterations of a step that makes several, and saves no more often than asked", async () => {
    const saved: number[] = [];
    const loop: Loop<{ k: number }, number> = {
      owner: "leap",
      limit: 20,
      initial: () => ({ k: 0 }),
      step: ({ k }) => ({ k: k + 4 }),
      record: ({ k }) => k,
      count: ({ k }) => k,
    };
    const save = (state: RunState<{ k: number }, number>) => void saved.push(state.iterations);
    const { iterations, history } = await runLoop(loop, { checkpoint: { every: 6, save } });
    expect(iterations).toBe(20);
    expect(history).toEqual([4, 8, 12, 16, 20]);
    expect(saved).toEqual([8, 16]);
  });

  it("lets timers run while it works, and not only at its end", async () => {
    let ticks = 0;
    let stop = false;
    const timer = setInterval(() => {
      if (++ticks === 3) stop = true;
    }, 1);
    // Ends only because the timer gets its turn.
    const { status } = await runLoop({
      owner: "spin",
      limit: Number.POSITIVE_INFINITY,
      initial: () => 0,
      step: (k) => k + 1,
      record: () => undefined,
      finished: () => (stop ? "converged" : undefined),
    });
    clearInterval(timer);
    expect(status).toBe("converged");
    expect(ticks).toBe(3);
  });
});

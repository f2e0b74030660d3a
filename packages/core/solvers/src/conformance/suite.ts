import { isTensor, tree } from "@offprint/tensor-core";
import { turn } from "../run/breather.js";
import type { RunOutcome, RunSubject, SubjectOptions, TestTools } from "./subject.js";

/**
 * Declares the tests that every long-running method passes: it ends with a word of `Status`, is stopped, aborted, saved
 * through JSON and resumed bit for bit, is decided by its seed, and refuses unknown options, bad values and numbers
 * that are not finite.
 * @example
 * runConformance("cbo", { run: (options) => cbo(rastrigin, { particles: 20, ...options }), limit: "maxIterations", ... },
 *   { describe, it, expect });
 */
export function runConformance<R extends RunOutcome>(name: string, subject: RunSubject<R>, tools: TestTools): void {
  tools.describe(`${name} keeps the contract of long work`, () => {
    endings(subject, tools);
    interruptions(subject, tools);
    resuming(subject, tools);
    refusals(subject, tools);
  });
}

/** Whether a value can stand in a saved tree. */
function savable(value: unknown): boolean {
  return typeof value !== "function" && typeof value !== "symbol";
}

/** A result as text, every bit of it. */
function textOf<R extends RunOutcome>({ outcome }: RunSubject<R>, result: R): string {
  if (outcome !== undefined) return tree.toJson(outcome(result));
  const kept = Object.entries(result).filter(([key, value]) => key !== "state" && savable(value));
  return tree.toJson(Object.fromEntries(kept));
}

function throughJson(state: unknown): never {
  return tree.fromJson<never>(tree.toJson(state));
}

/** Options of a short run; its seed is always the same. */
function shortly<R extends RunOutcome>(
  { limit, short, seeded }: RunSubject<R>,
  more: SubjectOptions = {},
): SubjectOptions {
  return { [limit]: short, ...(seeded ? { seed: 7 } : {}), ...more };
}

function stopAfter(records: number): { options: SubjectOptions; seen: unknown[] } {
  const seen: unknown[] = [];
  const onProgress = (record: unknown) => {
    seen.push(record);
    return seen.length === records ? "stop" : undefined;
  };
  return { options: { onProgress }, seen };
}

function endings<R extends RunOutcome>(subject: RunSubject<R>, { it, expect }: TestTools) {
  it("ends with status limit at its limit; history holds the records that onProgress got", async () => {
    const records: unknown[] = [];
    const onProgress = (record: unknown) => void records.push(record);
    const result = await subject.run(shortly(subject, { onProgress }));
    expect(result.status).toBe("limit");
    expect(result.history.length).toBeGreaterThan(3);
    expect(tree.toJson(result.history)).toBe(tree.toJson(records));
  });

  it("gives the same result for the same options", async () => {
    const [first, second] = [await subject.run(shortly(subject)), await subject.run(shortly(subject))];
    expect(textOf(subject, first)).toBe(textOf(subject, second));
    if (!subject.seeded) return;
    const other = await subject.run(shortly(subject, { seed: "another" }));
    expect(textOf(subject, other) === textOf(subject, first)).toBe(false);
  });
}

function interruptions<R extends RunOutcome>(subject: RunSubject<R>, { it, expect }: TestTools) {
  it("stops when onProgress answers stop", async () => {
    const { options, seen } = stopAfter(2);
    const result = await subject.run(shortly(subject, options));
    expect(result.status).toBe("stopped");
    expect(result.history.length).toBe(2);
    expect(seen.length).toBe(2);
  });

  it("stops when onProgress promises stop", async () => {
    const result = await subject.run(shortly(subject, { onProgress: async () => "stop" }));
    expect(result.status).toBe("stopped");
    expect(result.history.length).toBe(1);
  });

  it("ends as aborted, without an error, when the signal fires in the middle", async () => {
    const controller = new AbortController();
    let records = 0;
    const onProgress = () => {
      if (++records === 2) controller.abort();
    };
    const result = await subject.run(shortly(subject, { onProgress, signal: controller.signal }));
    expect(result.status).toBe("aborted");
    expect(result.history.length).toBe(2);
  });

  it("ends as aborted where the signal fired before", async () => {
    const result = await subject.run(shortly(subject, { signal: AbortSignal.abort() }));
    expect(result.status).toBe("aborted");
    expect(result.history.length).toBe(0);
  });

  it("lets a timer abort it at work", async () => {
    const controller = new AbortController();
    const endless = { ...shortly(subject), ...subject.endless, signal: controller.signal };
    const result = await abortedAtWork(controller, () => subject.run(endless));
    expect(result.status).toBe("aborted");
    // The state goes on: here just far enough to meet a signal that has fired.
    const again = await subject.run({ ...endless, signal: AbortSignal.abort(), resume: throughJson(result.state) });
    expect(again.status).toBe("aborted");
    expect(tree.toJson(again.history)).toBe(tree.toJson(result.history));
  });
}

/**
 * Runs, and aborts in the first turn of the event loop that the run gives after it has read the clock a few times. The clock
 * goes by 20 ms at every reading, so that each part of the work seems long: how quick the machine is decides nothing.
 */
async function abortedAtWork<R>(controller: AbortController, run: () => Promise<R>): Promise<R> {
  const { now } = performance;
  let readings = 0;
  performance.now = () => {
    if (++readings === 4) void turn().then(() => controller.abort());
    return now.call(performance) + 20 * readings;
  };
  try {
    return await run();
  } finally {
    performance.now = now;
  }
}

function resuming<R extends RunOutcome>(subject: RunSubject<R>, { it, expect }: TestTools) {
  let uninterrupted: Promise<R> | undefined;
  /** What a run gives that nobody interrupts: one for all tests, as the same options give the same result. */
  const wholeRun = () => {
    uninterrupted ??= subject.run(shortly(subject));
    return uninterrupted;
  };

  it("goes on from a state saved as JSON as if it had not been stopped, bit for bit", async () => {
    const whole = await wholeRun();
    const part = await subject.run(shortly(subject, stopAfter(2).options));
    const rest = await subject.run(shortly(subject, { resume: throughJson(part.state) }));
    expect(textOf(subject, rest)).toBe(textOf(subject, whole));
  });

  it("goes on after an abort, bit for bit", async () => {
    const whole = await wholeRun();
    const controller = new AbortController();
    const onProgress = async () => {
      await turn();
      controller.abort();
    };
    const part = await subject.run(shortly(subject, { onProgress, signal: controller.signal }));
    const rest = await subject.run(shortly(subject, { resume: throughJson(part.state) }));
    expect(textOf(subject, rest)).toBe(textOf(subject, whole));
  });

  it("gives checkpoints that it goes on from, bit for bit", async () => {
    const saved: unknown[] = [];
    const save = (state: unknown) => void saved.push(tree.toJson(state));
    const whole = await subject.run(shortly(subject, { checkpoint: { every: 1, save } }));
    expect(saved.length).toBeGreaterThan(1);
    const resume = tree.fromJson<never>(saved[Math.floor(saved.length / 2) - 1] as string);
    const rest = await subject.run(shortly(subject, { resume }));
    expect(textOf(subject, rest)).toBe(textOf(subject, whole));
  });

  it("counts its limit over resumed runs together", async () => {
    const whole = await wholeRun();
    const again = await subject.run(shortly(subject, { resume: throughJson(whole.state) }));
    expect(again.status).toBe("limit");
    expect(textOf(subject, again)).toBe(textOf(subject, whole));
  });
}

/** The places of tensors and typed arrays in a tree: what holds them, and under which key. */
function* arrayPlaces(holder: object): Generator<{ readonly holder: Record<string, unknown>; readonly key: string }> {
  for (const [key, value] of Object.entries(holder)) {
    if (isTensor(value) || ArrayBuffer.isView(value)) yield { holder: holder as Record<string, unknown>, key };
    else if (typeof value === "object" && value !== null) yield* arrayPlaces(value);
  }
}

async function failure(call: () => unknown): Promise<{ name: string; message: string }> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  return { name: "no error", message: "" };
}

function refusals<R extends RunOutcome>(subject: RunSubject<R>, { it, expect }: TestTools) {
  it("refuses options that it does not know, and names the nearest", async () => {
    const misspelt = subject.limit.slice(0, -1);
    const { name, message } = await failure(() => subject.run(shortly(subject, { [misspelt]: 3 })));
    expect(name).toBe("ValueError");
    expect(message).toContain(`"${misspelt}"`);
    expect(message).toContain(subject.limit);
    const strange = await failure(() => subject.run(shortly(subject, { zzyzx: 1 })));
    expect(strange.name).toBe("ValueError");
    expect(strange.message).toContain("zzyzx");
    const checkpoint = { evry: 2, save: () => undefined } as SubjectOptions["checkpoint"];
    const nested = await failure(() => subject.run(shortly(subject, { checkpoint })));
    expect(nested.name).toBe("ValueError");
    expect(nested.message).toContain('"evry"');
  });

  it("refuses bad values and names the option", async () => {
    const common: Record<string, unknown>[] = [
      { [subject.limit]: -1 },
      { [subject.limit]: 1.5 },
      { [subject.limit]: Number.NaN },
      { signal: {} },
      { onProgress: 3 },
      { checkpoint: { every: 0, save: () => undefined } },
      { checkpoint: { every: 2 } },
      { resume: {} },
      ...(subject.seeded ? [{ seed: {} }, { seed: Number.NaN }] : []),
    ];
    for (const bad of [...common, ...subject.invalid]) {
      const { name, message } = await failure(() => subject.run(shortly(subject, bad)));
      const [option] = Object.keys(bad);
      expect(`${option}: ${name}`).toMatch(/: (ValueError|ShapeError|DTypeError|IndexError|UnsupportedError)$/);
      expect(message).toContain(option);
    }
  });

  if (subject.comparesStates) {
    it("refuses a state in which a number stands for an array, and names the part", async () => {
      const { state } = await subject.run(shortly(subject, stopAfter(2).options));
      const resume = throughJson(state) as { readonly inner: object };
      let places = 0;
      for (const { holder, key } of arrayPlaces(resume.inner)) {
        const whole = holder[key];
        holder[key] = 7;
        const { name, message } = await failure(() => subject.run(shortly(subject, { resume: resume as never })));
        expect(`${key}: ${name}`).toMatch(/: (ValueError|ShapeError)$/);
        expect(message).toContain(key);
        holder[key] = whole;
        places++;
      }
      expect(places).toBeGreaterThan(0);
    });
  }

  it("refuses numbers that are not finite", async () => {
    expect(subject.nonFinite.length).toBeGreaterThan(0);
    for (const call of subject.nonFinite) {
      expect((await failure(call)).name).toMatch(/^(ValueError|NonFiniteError|ShapeError|DTypeError)$/);
    }
  });
}

import { type Cluster, cluster, JobError, JobTimeoutError, type WorkerLostError } from "@offprint/cluster";
import { type Tensor, tensor } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltJobs, buildJobs } from "./built-jobs.js";
import { collected } from "./collected.js";

let built: BuiltJobs;
let threads: Cluster;
beforeAll(async () => {
  built = await buildJobs();
  threads = await cluster({ kind: "threads", workers: 2, entry: built.entry, memory: 64 });
});
afterAll(() => threads.close());

const job = (name: string) => ({ module: built.jobs, name });

describe("jobs on threads", () => {
  it("give every result once, whatever the order", async () => {
    const list = Array.from({ length: 50 }, (_, k) => k);
    const outcomes = await collected(threads.map<number, number>(job("square"), list));
    expect(outcomes.map(({ value }) => value)).toEqual(list.map((x) => x * x));
    expect(outcomes.every(({ attempts }) => attempts === 1)).toBe(true);
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(50);
    expect(new Set(outcomes.map(({ worker }) => worker))).toEqual(new Set(["thread 1", "thread 2"]));
  });

  it("carry tensors, typed arrays and numbers that JSON has no words for", async () => {
    const a = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "float64" },
    );
    const [outcome] = await collected(threads.map<unknown, Tensor>(job("product"), [{ a, b: a }]));
    expect([outcome!.value!.dtype, outcome!.value!.toArray()]).toEqual([
      "float64",
      [
        [7, 10],
        [15, 22],
      ],
    ]);
    const odd = {
      n: [NaN, -0, Infinity],
      big: 5n,
      bytes: new Uint8Array([1, 2]),
      floats: new Float64Array([0.1]),
      none: null,
    };
    const [echoed] = await collected(threads.map(job("echo"), [odd]));
    expect(echoed!.value).toEqual(odd);
  });

  it("draw the same chance for the same arguments and seed, on whatever worker", async () => {
    const draw = (seed: number) => collected(threads.map<number, number[]>(job("drawn"), [1, 2, 1], { seed }));
    const [first, again, other] = [await draw(0), await draw(0), await draw(1)];
    expect(again.map(({ value }) => value)).toEqual(first.map(({ value }) => value));
    expect(first[0]!.value).toEqual(first[2]!.value);
    expect(first[0]!.value).not.toEqual(first[1]!.value);
    expect(other[0]!.value).not.toEqual(first[0]!.value);
  });

  it("report an error as an outcome, with the class and the place it comes from", async () => {
    const [outcome] = await collected(threads.map(job("fails"), [{ message: "out of range" }]));
    expect(outcome!.error).toBeInstanceOf(JobError);
    const error = outcome!.error as JobError;
    expect([error.kind, error.message, outcome!.attempts]).toEqual(["RangeError", "out of range", 1]);
    expect(error.remoteStack).toContain("jobs");
  });

  it("are tried again after an error as often as is asked, and no more", async () => {
    const one = await cluster({ kind: "threads", workers: 1, entry: built.entry });
    const list = [
      { times: 2, key: "a" },
      { times: 3, key: "b" },
    ];
    const [enough, short] = await collected(one.map<unknown, number>(job("failsFirst"), list, { retries: 2 }));
    expect([enough!.value, enough!.attempts]).toEqual([3, 3]);
    expect([short!.error?.message, short!.attempts]).toEqual(["attempt 3", 3]);
    await one.close();
  });

  it.each(["exits", "fillsMemory"])(
    "that end their thread (%s) take nothing else with them, and are given up after four",
    async (name) => {
      const one = await cluster({ kind: "threads", workers: 1, entry: built.entry, memory: 16 });
      const [outcome] = await collected(one.map(job(name), [0]));
      const error = outcome!.error as WorkerLostError;
      expect([error.name, outcome!.attempts]).toEqual(["WorkerLostError", 4]);
      expect(error.workers).toEqual(["thread 1", "thread 1", "thread 1", "thread 1"]);
      const [next] = await collected(one.map<number, number>(job("square"), [4]));
      expect(next!.value).toBe(16);
      await one.close();
    },
  );

  it("end when their time is up, also in a loop that never yields", async () => {
    const heeding = await collected(threads.map(job("spin"), [{ ms: 1e5, heed: true }], { timeout: 40 }));
    const deaf = await collected(threads.map(job("spin"), [{ ms: 1e5, heed: false }], { timeout: 40 }));
    for (const [outcome] of [heeding, deaf]) expect(outcome!.error).toBeInstanceOf(JobTimeoutError);
  });

  it("end when the caller aborts, without an error", async () => {
    const controller = new AbortController();
    const found: unknown[] = [];
    const list = [
      { ms: 0, heed: true },
      { ms: 1e6, heed: true },
      { ms: 1e6, heed: false },
    ];
    for await (const { value } of threads.map(job("spin"), list, { signal: controller.signal })) {
      found.push(value);
      controller.abort();
    }
    expect(found).toEqual(["done"]);
    expect(threads.status().map(({ state }) => state)).toEqual(["idle", "idle"]);
  });

  it("end when nobody looks at the outcomes any more", async () => {
    for await (const { value } of threads.map(job("spin"), [
      { ms: 0, heed: true },
      { ms: 1e6, heed: true },
    ])) {
      expect(value).toBe("done");
      break;
    }
    expect(threads.status().map(({ state }) => state)).toEqual(["idle", "idle"]);
  });

  it("take an endless list that looks at earlier results, and hold it back", async () => {
    let [given, seen] = [0, 0];
    async function* doubling() {
      let next = 1;
      for (;;) {
        given += 1;
        yield next;
        next *= 2;
      }
    }
    for await (const { index, value } of threads.map<number, number>(job("square"), doubling(), { inFlight: 3 })) {
      expect(value).toBe(4 ** index);
      seen += 1;
      expect(given).toBeLessThanOrEqual(seen + 3);
      if (seen === 12) break;
    }
  });

  it("pass on an error of the list", async () => {
    function* broken() {
      yield 1;
      throw new Error("no more");
    }
    await expect(collected(threads.map(job("square"), broken()))).rejects.toThrow("no more");
  });

  it("tell what they do", async () => {
    const told: unknown[] = [];
    await collected(threads.map(job("reports"), [3], { onProgress: ({ index, value }) => told.push([index, value]) }));
    expect(told).toEqual([
      [0, { k: 0 }],
      [0, { k: 1 }],
      [0, { k: 2 }],
    ]);
  });

  it("end with the error of a caller who cannot hear what they tell", async () => {
    const onProgress = () => {
      throw new Error("the page is gone");
    };
    await expect(collected(threads.map(job("reports"), [3, 4], { onProgress }))).rejects.toThrow("the page is gone");
    await expect.poll(() => threads.status().map(({ state }) => state)).toEqual(["idle", "idle"]);
  });

  it("look at a value that was put once, by its reference", async () => {
    const ref = await threads.put(Float64Array.from({ length: 1000 }, (_, k) => k));
    const outcomes = await collected(
      threads.map<unknown, number>(
        job("sumOf"),
        [0, 990].map((from) => ({ ref, from })),
      ),
    );
    expect(outcomes.map(({ value }) => value)).toEqual([499500, 9945]);
    const lost = await collected(threads.map(job("sumOf"), [{ ref: { offprintRef: "none" }, from: 0 }]));
    expect(lost[0]!.error?.message).toContain("there is no value none");
  });

  it("may be many at once, of which no runtime warns", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const list = Array.from({ length: 40 }, (_, x) => ({ x, ms: 1 }));
    await collected(threads.map(job("slowSquare"), list, { inFlight: 40 }));
    const team = await threads.team(job("shard"), { size: 12, initial: () => new Float64Array(1) });
    await team.round(() => ({ power: 1 })).all();
    await team.close();
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("that are exclusive run alone", async () => {
    const pool = await cluster({ kind: "threads", workers: 2, entry: built.entry });
    const busy = () => pool.status().filter(({ state }) => state === "busy").length;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, busy());
    }, 2);
    const list = Array.from({ length: 4 }, (_, x) => ({ x, ms: 25 }));
    await collected(pool.map(job("slowSquare"), list, { exclusive: true }));
    clearInterval(watch);
    expect(most).toBe(1);
    const both = new AbortController();
    const endless = [1, 2].map((x) => ({ x, ms: 1e6 }));
    const outcomes = collected(pool.map(job("slowSquare"), endless, { signal: both.signal }));
    await expect.poll(busy).toBe(2);
    both.abort();
    await outcomes;
    await pool.close();
  });

  it("do not wait behind one that wanted to run alone and was aborted", async () => {
    const pool = await cluster({ kind: "threads", workers: 2, entry: built.entry });
    const [held, waiting] = [new AbortController(), new AbortController()];
    const long = collected(pool.map(job("slowSquare"), [{ x: 1, ms: 1e6 }], { signal: held.signal }));
    await expect.poll(() => pool.status()[0]!.state).toBe("busy");
    const alone = collected(pool.map(job("square"), [2], { exclusive: true, signal: waiting.signal }));
    const behind = collected(pool.map<number, number>(job("square"), [3]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    waiting.abort();
    expect((await behind).map(({ value }) => value)).toEqual([9]);
    expect(await alone).toEqual([]);
    held.abort();
    await long;
    await pool.close();
  });

  it("refuse what is no job, before anything runs", async () => {
    const failure = async (name: unknown) => collected(threads.map(name as string, [1])).catch((error) => error);
    expect((await failure("@offprint/none#x")).name).toBe("JobRefusedError");
    for (const none of [{}, { module: null, name: "x" }, { module: built.jobs }, null]) {
      expect((await failure(none)).message).toContain("{ module, name }");
    }
    for (const name of ["notAFunction", "absent", "constructor", "__proto__", "toString"]) {
      const [outcome] = await collected(threads.map(job(name), [1]));
      expect(outcome!.error?.message).toContain(`exports no function ${name}`);
    }
  });

  it("refuse what cannot travel", async () => {
    await expect(collected(threads.map(job("echo"), [{ f: () => 1 }]))).rejects.toThrow('cluster: "f" is a function');
  });
});

describe("options", () => {
  it("that there are not, or are out of range, are errors", async () => {
    await expect(cluster({ kind: "threads", threads: 2 } as never)).rejects.toThrow('no option "threads"');
    await expect(cluster({ kind: "threads", workers: 0 })).rejects.toThrow("workers is 0");
    await expect(cluster({ kind: "processes" } as never)).rejects.toThrow('"threads" or "nats"');
    expect(() => threads.map("x", [], { retrie: 1 } as never)).toThrow('did you mean "retries"');
    expect(() => threads.map("x", [], { timeout: -1 })).toThrow("timeout is -1");
    expect(() => threads.map("x", [], { inFlight: 0 })).toThrow("inFlight is 0");
    // Timers take no longer time, and would be over at once.
    expect(() => threads.map("x", [], { timeout: 1e12 })).toThrow("timeout is 1000000000000; it must be at most");
    expect(() => threads.map("x", [], { exclusive: "no" } as never)).toThrow('exclusive is "no"; give true or false');
    expect(() => threads.map("x", [], { onProgress: 3 } as never)).toThrow("onProgress is 3; give a function");
    expect(() => threads.map("x", [], { signal: {} } as never)).toThrow("signal is no AbortSignal");
    expect(() => threads.map("x", [], { id: 3 } as never)).toThrow("id is 3; give the run's name");
    for (const list of [undefined, 3, "abc", {}]) {
      expect(() => threads.map("x", list as never)).toThrow("the list of arguments is");
    }
    await expect(cluster({ kind: "threads", jobs: 3 } as never)).rejects.toThrow("jobs is 3; give an object");
    const elsewhere = await cluster({ kind: "threads", manifest: new URL(import.meta.url) });
    await expect(collected(elsewhere.map("a#b", [1]))).rejects.toThrow("is not JSON; name a package.json");
    await elsewhere.close();
  });

  it("a closed cluster says so", async () => {
    const closed = await cluster({ kind: "threads", workers: 1, entry: built.entry });
    await closed.close();
    await expect(collected(closed.map(job("square"), [1]))).rejects.toThrow("it was closed");
  });
});

import { describe, expect, it } from "vitest";
import { type Backend, fastest, hostBackend, jit, mul, type Tensor, tensor } from "../src/index.js";

/** A backend whose runs take so many milliseconds of a clock that only it moves. */
function paced(name: string, milliseconds: number, clock: { now: number }, log: string[]): Backend {
  return {
    name,
    device: "cpu",
    async compile(graph) {
      return {
        async run(inputs) {
          clock.now += milliseconds;
          log.push(name);
          return graph.apply(inputs);
        },
        async release() {
          log.push(`${name} released`);
        },
      };
    },
  };
}

const refusing: Backend = {
  name: "refusing",
  device: "cpu",
  async compile() {
    throw new Error("refusing: not this graph");
  },
};

describe("fastest", () => {
  it("tries all backends in turn, keeps the quickest and releases the others", async () => {
    const clock = { now: 0 };
    const log: string[] = [];
    const backend = fastest([paced("slow", 5, clock, log), refusing, paced("quick", 1, clock, log)], {
      now: () => clock.now,
    });
    const f = jit((x: Tensor) => mul(x, 2), { backend });
    for (let i = 0; i < 12; i++) expect((await f(tensor(i))).item()).toBe(2 * i);
    expect(log.filter((name) => name === "slow")).toHaveLength(4);
    expect(log.slice(-4)).toEqual(["quick", "quick", "quick", "quick"]);
    expect(log).toContain("slow released");
    expect(log).not.toContain("quick released");
    await f.release();
    expect(log).toContain("quick released");
  });

  it("times those longer that are nearly as quick, and lets the others go before", async () => {
    const clock = { now: 0 };
    const log: string[] = [];
    const disturbed = paced("disturbed", 1, clock, log);
    let calls = 0;
    // The quickest takes twice its time in its first runs.
    const late: Backend = {
      ...disturbed,
      async compile(graph) {
        const executable = await disturbed.compile(graph);
        return {
          ...executable,
          async run(inputs) {
            if (calls++ < 6) clock.now += 1;
            return executable.run(inputs);
          },
        };
      },
    };
    const others = [paced("slow", 5, clock, log), paced("near", 1.7, clock, log)];
    const f = jit((x: Tensor) => mul(x, 2), { backend: fastest([late, ...others], { now: () => clock.now }) });
    for (let i = 0; i < 40; i++) expect((await f(tensor(i))).item()).toBe(2 * i);
    expect(log.filter((name) => name === "slow")).toHaveLength(4);
    expect(log.filter((name) => name === "near")).toHaveLength(6);
    expect(log.slice(-5)).toEqual(new Array(5).fill("disturbed"));
    await f.release();
    expect(log.filter((name) => name.endsWith("released")).sort()).toEqual([
      "disturbed released",
      "near released",
      "slow released",
    ]);
  });

  it("decides for each signature", async () => {
    const clock = { now: 0 };
    const log: string[] = [];
    const backend = fastest([paced("a", 1, clock, log), paced("b", 2, clock, log)], { now: () => clock.now, runs: 1 });
    const f = jit((x: Tensor) => mul(x, 2), { backend });
    for (let i = 0; i < 6; i++) await f(tensor(1));
    for (let i = 0; i < 2; i++) await f(tensor([1, 2]));
    expect(log.filter((name) => name === "b")).toHaveLength(3);
  });

  it("takes calls that overlap one by one", async () => {
    const f = jit((x: Tensor) => mul(x, 2), { backend: fastest([hostBackend, hostBackend]) });
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => f(tensor(i))));
    expect(results.map((r) => r.item())).toEqual(Array.from({ length: 40 }, (_, i) => 2 * i));
    expect(String(await f.program(tensor(1)))).toMatch(/^host, the fastest:\n.*program of 1 part;/);
  });

  it("throws what the first threw where none compiles, and refuses no backends", async () => {
    await expect(jit((x: Tensor) => mul(x, 2), { backend: fastest([refusing]) })(tensor(1))).rejects.toThrow(
      "not this graph",
    );
    expect(() => fastest([])).toThrow("give at least one");
    expect(() => fastest([hostBackend, {} as Backend])).toThrow("fastest: backends[1] is an object; give hostBackend");
    expect(() => fastest([undefined as never])).toThrow("fastest: backends[0] is undefined; give hostBackend");
  });
});

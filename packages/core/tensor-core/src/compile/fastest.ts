import { requireArray, requireBackend } from "../arguments.js";
import { checkOptions } from "../check-options.js";
import { ValueError } from "../errors.js";
import type { Graph } from "../graph/graph.js";
import type { Tensor } from "../tensor.js";
import type { Backend, Executable } from "./backend.js";

/** Options of `fastest`. */
export interface FastestOptions {
  /**
   * Runs of each backend that are timed, after one that is not; up to four times as many of those that are nearly as quick
   * as the quickest. Default 3.
   */
  runs?: number;
  /** The clock, in milliseconds. Default `performance.now`. */
  now?: () => number;
}

/** Backends that take so much longer than the quickest are out; one nearer may have been disturbed. */
const NEAR = 1.25;
/** So many times `runs` are timed at most. */
const PATIENCE = 4;

interface Candidate {
  readonly backend: Backend;
  readonly executable: Executable;
  readonly times: number[];
}

/**
 * A backend that compiles each graph with all of the given ones, times them on the first calls, which give their
 * results as ever, and keeps the quickest. Backends that cannot run a graph are passed over. Results of the first calls
 * may differ by the rounding of the backends.
 * @throws what the first backend throws, where none can compile the graph.
 * @example jit(step, { backend: fastest([hostBackend, await onnxRuntime()]) })
 */
export function fastest(backends: readonly Backend[], options: FastestOptions = {}): Backend {
  checkOptions("fastest", options, ["runs", "now"]);
  requireArray("fastest", backends, "backends");
  if (backends.length === 0) throw new ValueError("fastest: there is no backend to choose from; give at least one");
  for (const [i, backend] of backends.entries()) requireBackend("fastest", `backends[${i}]`, backend);
  const { runs = 3, now = () => performance.now() } = options;
  return {
    name: `the fastest of ${backends.map((b) => b.name).join(", ")}`,
    device: [...new Set(backends.map((b) => b.device))].join(" or "),
    async compile(graph) {
      return new Race(await candidates(graph, backends), runs, now);
    },
  };
}

async function candidates(graph: Graph, backends: readonly Backend[]): Promise<Candidate[]> {
  const found: Candidate[] = [];
  let first: unknown;
  for (const backend of backends) {
    try {
      found.push({ backend, executable: await backend.compile(graph), times: [] });
    } catch (error) {
      first ??= error;
    }
  }
  if (found.length === 0) throw first;
  return found;
}

class Race implements Executable {
  private left: Candidate[];
  private calls = 0;
  /** Calls are timed one after the other. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    candidates: readonly Candidate[],
    private readonly runs: number,
    private readonly now: () => number,
  ) {
    this.left = [...candidates];
  }

  async run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    if (this.left.length === 1) return this.left[0].executable.run(inputs);
    const result = this.queue.then(() => this.runTimed(inputs));
    this.queue = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  private async runTimed(inputs: readonly Tensor[]): Promise<Tensor[]> {
    if (this.left.length === 1) return this.left[0].executable.run(inputs);
    // In turns, so that a machine that slows down slows all of them.
    const candidate = this.left[this.calls++ % this.left.length];
    const values = await Promise.all(inputs.map((x) => x.host()));
    const began = this.now();
    const results = await candidate.executable.run(values);
    candidate.times.push(this.now() - began);
    if (this.left.every((c) => c.times.length > this.runs)) await this.decide();
    return results;
  }

  /** Lets those go that are slower; the quickest stays alone where the others are clearly slower, or after long enough. */
  private async decide(): Promise<void> {
    const best = (c: Candidate) => Math.min(...c.times.slice(1));
    const [winner, ...others] = [...this.left].sort((a, b) => best(a) - best(b));
    const last = this.left.every((c) => c.times.length > PATIENCE * this.runs);
    const near = last ? [] : others.filter((c) => best(c) <= NEAR * best(winner));
    this.left = this.left.filter((c) => c === winner || near.includes(c));
    for (const c of others) if (!near.includes(c)) await c.executable.release();
  }

  async release(): Promise<void> {
    for (const { executable } of this.left) await executable.release();
  }

  memory(): number | undefined {
    return this.left.length > 1 ? undefined : this.left[0].executable.memory?.();
  }

  describe(): string {
    const [{ backend, executable }] = this.left;
    if (this.left.length > 1) return `not decided between ${this.left.map((c) => c.backend.name).join(", ")} yet`;
    return `${backend.name}, the fastest:\n${executable.describe?.() ?? ""}`;
  }
}

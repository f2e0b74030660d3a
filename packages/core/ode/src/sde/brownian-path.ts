import { type Rng, random, requireInteger, requireObject, ValueError } from "@offprint/tensor-core";

/** A path as it can be saved: a tree. */
export interface BrownianPathState {
  /** Numbers side by side. */
  readonly size: number;
  /** Where the path is known, in order. */
  readonly times: readonly number[];
  /** Its values there, and behind them those of the second path: `2 size` numbers. */
  readonly values: readonly Float64Array[];
  /** The generator. */
  readonly generator: ReturnType<Rng["toJSON"]>;
}

/** What a path does in an interval. */
export interface Increment {
  /** Of the path, `[size]`: normal, with the length as variance. */
  readonly dW: Float64Array;
  /** Of a second, independent path. */
  readonly dZ: Float64Array;
}

/**
 * A Brownian path of many numbers side by side, found out where it is asked about: a time between two known ones is drawn
 * from the bridge between them, one beyond from the end. So any two intervals fit together, however steps are refused and
 * taken again, and a solve with other steps sees the same path.
 */
export class BrownianPath {
  private readonly times: number[];
  private readonly values: Float64Array[];

  private constructor(
    /** Numbers side by side. */
    readonly size: number,
    private readonly rng: Rng,
    times: readonly number[],
    values: readonly Float64Array[],
  ) {
    requireObject("BrownianPath", "rng", rng, "a generator of random.rng(seed)");
    requireObject("BrownianPath", "times", times, "an array of numbers");
    requireObject("BrownianPath", "values", values, "an array");
    this.times = [...times];
    this.values = [...values];
  }

  /** A path that begins with zeros at `start` (default 0). @throws ValueError */
  static create(size: number, seed: number | string, start = 0): BrownianPath {
    requireInteger("BrownianPath", "size", size, 1);
    if (!Number.isFinite(start)) throw new ValueError(`BrownianPath: start is ${String(start)}; give a finite time`);
    return new BrownianPath(size, random.rng(seed), [start], [new Float64Array(2 * size)]);
  }

  /** The path that was saved. @throws ValueError for what is no state of a path */
  static restore(state: BrownianPathState): BrownianPath {
    requireObject("BrownianPath.restore", "the state", state, "the `state` of a BrownianPath");
    const { size, times, values, generator } = state;
    const complain = (what: string) => {
      throw new ValueError(`BrownianPath.restore: ${what}; give the \`state\` of a BrownianPath, unchanged`);
    };
    requireInteger("BrownianPath.restore", "size", size, 1);
    if (!Array.isArray(times) || times.length === 0 || !Array.isArray(values) || values.length !== times.length) {
      complain(`times and values are not as many as each other`);
    }
    times.forEach((t, i) => {
      if (!Number.isFinite(t) || (i > 0 && t <= times[i - 1]))
        complain(`times[${i}] is ${t}; they must be finite and grow`);
      if (!(values[i] instanceof Float64Array) || values[i].length !== 2 * size || !values[i].every(Number.isFinite)) {
        complain(`values[${i}] is not ${2 * size} finite numbers in a Float64Array`);
      }
    });
    return new BrownianPath(size, random.Rng.fromJSON(generator), times, values);
  }

  /** A copy of all that it goes on from. */
  get state(): BrownianPathState {
    const { size, times, values, rng } = this;
    return { size, times: [...times], values: [...values], generator: rng.toJSON() };
  }

  /** What the path does from `from` to `to`. @throws ValueError for times before its start or not finite. */
  increment(from: number, to: number): Increment {
    const [a, b] = [this.at(from), this.at(to)];
    const { size } = this;
    const [dW, dZ] = [new Float64Array(size), new Float64Array(size)];
    for (let i = 0; i < size; i++) {
      dW[i] = b[i] - a[i];
      dZ[i] = b[size + i] - a[size + i];
    }
    return { dW, dZ };
  }

  private at(t: number): Float64Array {
    const { times, values } = this;
    if (!Number.isFinite(t)) throw new ValueError(`BrownianPath: a time is ${String(t)}; it must be finite`);
    if (!(t >= times[0])) throw new ValueError(`BrownianPath: ${t} is before the start of the path, ${times[0]}`);
    let [low, high] = [0, times.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= t) low = middle;
      else high = middle - 1;
    }
    if (times[low] === t) return values[low];
    const noise = this.rng.normal([2 * this.size], { dtype: "float64" }).data();
    const [s, before] = [times[low], values[low]];
    const beyond = low === times.length - 1;
    const part = beyond ? 0 : (t - s) / (times[low + 1] - s);
    const deviation = Math.sqrt(beyond ? t - s : part * (times[low + 1] - t));
    const after = beyond ? before : values[low + 1];
    const value = new Float64Array(before.length);
    for (let i = 0; i < value.length; i++) {
      value[i] = before[i] + part * (after[i] - before[i]) + deviation * noise[i];
    }
    times.splice(low + 1, 0, t);
    values.splice(low + 1, 0, value);
    return value;
  }
}

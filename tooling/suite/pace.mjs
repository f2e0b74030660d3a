// How much slower the machine is at the moment than the one that budgets are meant for: processor time stretches where
// others use its caches and its memory.

const [near, far] = [new Float64Array(4096), new Float64Array(1 << 20)].map((values) =>
  values.map((_, k) => Math.sin(k)),
);

/** Arithmetic within the first cache, a walk through memory that no cache holds, and short-lived objects. */
function work() {
  let sum = 0;
  for (let k = 0; k < 500; k++) for (let i = 0; i < 4096; i++) sum += near[i] * near[(i + k) & 4095];
  for (let k = 0; k < 2; k++) for (let i = 0; i < far.length; i++) sum += far[(i * 4099) & (far.length - 1)];
  const kept = new Map();
  for (let i = 0; i < 20_000; i++) kept.set(`${i & 1023}`, { i, half: [i / 2] });
  return sum + kept.size;
}

/** Milliseconds of processor time that {@link work} takes on the machine that budgets are meant for. */
const reference = 12;

/** Seconds between two looks. */
const period = 4;

/** @typedef {{ at: number, slowness: number }} Look */

/** Looks at the machine's pace from time to time, for the time in which a job ran. */
export class Pace {
  /** @type {Look[]} */
  #looks = [];
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  start() {
    for (let k = 0; k < 5; k++) work();
    this.#look();
    this.#timer = setInterval(() => this.#look(), period * 1000);
    this.#timer.unref();
  }

  stop() {
    clearInterval(this.#timer);
  }

  #look() {
    const before = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(before);
    if (Number.isFinite(result))
      this.#looks.push({ at: performance.now(), slowness: (user + system) / 1000 / reference });
  }

  /**
   * The slowness between two times of `performance.now()`.
   *
   * @param {number} from
   * @param {number} to
   */
  between(from, to) {
    return slownessOf(this.#looks, from, to);
  }
}

/**
 * The median of the looks in a span, with the nearest on either side: one look alone may have been interrupted.
 *
 * @param {Look[]} looks in the order of time
 * @param {number} from
 * @param {number} to
 */
export function slownessOf(looks, from, to) {
  const within = looks.findIndex(({ at }) => at >= from);
  const first = Math.max(0, (within < 0 ? looks.length : within) - 1);
  const after = looks.findIndex(({ at }) => at > to);
  const some = looks.slice(first, after < 0 ? looks.length : after + 1).map(({ slowness }) => slowness);
  if (some.length === 0) return 1;
  some.sort((a, b) => a - b);
  return (some[(some.length - 1) >> 1] + some[some.length >> 1]) / 2;
}

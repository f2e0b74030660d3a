/** Longest time of work, in milliseconds, before others get their turn. */
const LONGEST = 12;

/** Tells long work when to let timers, clicks and signals have their turn, and does it. */
export interface Breather {
  /** Whether it is time to pause. Costs a few nanoseconds: call it in every iteration. */
  due(): boolean;
  /** Resolves after everything that was waiting for the event loop had its turn. */
  pause(): Promise<void>;
}

/**
 * A breather that is due about every 12 milliseconds of work. The clock is read only as often as the iterations are
 * long, so that iterations of nanoseconds do not pay for it.
 *
 * @param uneven reads it at every call, for work whose parts are of very different lengths; default false
 * @example
 * const breather = makeBreather();
 * for (const item of items) {
 *   work(item);
 *   if (breather.due()) await breather.pause();
 * }
 */
export function makeBreather(uneven = false): Breather {
  let last = performance.now();
  let read = last;
  let stride = 1;
  let calls = 0;
  return {
    due() {
      if (++calls < stride) return false;
      calls = 0;
      const now = performance.now();
      const passed = now - read;
      read = now;
      if (passed < 0.5) stride = uneven ? 1 : Math.min(2 * stride, 4096);
      else if (passed > 2) stride = Math.max(1, Math.floor(stride / 4));
      return now - last >= LONGEST;
    },
    async pause() {
      await turn();
      last = performance.now();
      read = last;
    },
  };
}

interface Timers {
  readonly setImmediate?: (callback: () => void) => unknown;
}

/** One turn of the event loop: timers of zero wait too long in browsers, promises do not let anybody else run. */
export function turn(): Promise<void> {
  const { setImmediate } = globalThis as Timers;
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(() => resolve()));
  if (typeof MessageChannel === "function") {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    });
  }
  return new Promise((resolve) => setTimeout(resolve, 0));
}

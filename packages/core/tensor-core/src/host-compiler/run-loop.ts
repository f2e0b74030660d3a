/** Steps of a program's loop at most; returns 0 when the loop is over. */
export type LoopFunction = (steps: number) => number;

/** Milliseconds that a loop runs before timers and events get their turn. */
const TURN = 12;
/** Steps that the first call of a loop takes. */
const FIRST_STEPS = 64;
/** Until so many steps, a loop returns often: only a new call enters the code that the engine has optimised. */
const OFTEN = 512;
const MOST_STEPS = 1 << 20;
/** Calls with few steps, in which the engine sees how much a loop is used. */
const WARMING_CALLS = 200;

/** Runs a loop to its end. */
export function runLoop(loop: LoopFunction): void {
  let steps = FIRST_STEPS;
  let calls = 0;
  while (loop(steps) !== 0) {
    calls++;
    if (steps < OFTEN || calls > WARMING_CALLS) steps = Math.min(2 * steps, MOST_STEPS);
  }
}

/** The same, with turns for timers and events in between. */
export async function runLoopInTurns(loop: LoopFunction): Promise<void> {
  let steps = FIRST_STEPS;
  let began = performance.now();
  for (;;) {
    const before = performance.now();
    if (loop(steps) === 0) return;
    const now = performance.now();
    if (now - before < TURN / 4) steps = Math.min(2 * steps, OFTEN * 8);
    else if (now - before > TURN) steps = Math.max(1, steps >> 1);
    if (now - began < TURN) continue;
    await new Promise((resume) => setTimeout(resume));
    began = performance.now();
  }
}

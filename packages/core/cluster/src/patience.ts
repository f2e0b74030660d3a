/** Parts in which a time is waited for. */
const parts = 10;

/**
 * Calls back after a time in which an answer could have been heard. The time is counted in parts: one passes however
 * long the machine, or this thread, stands still, and what came meanwhile is heard before the next one.
 *
 * @returns what ends the waiting
 */
export function afterPatience(milliseconds: number, call: () => void): () => void {
  let left = parts;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    call();
  }, milliseconds / parts);
  return () => clearInterval(timer);
}

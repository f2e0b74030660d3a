import type { Measured } from "./compare.js";

const recorded: Measured[] = [];

/** Adds a row to this run's results and prints it. */
export function record(row: Measured): void {
  recorded.push(row);
  console.log(table([row]));
}

/** All rows of this run, in order. */
export function results(): readonly Measured[] {
  return recorded;
}

/** Seconds with three digits and a unit. */
export function duration(seconds: number): string {
  for (const [unit, size] of [
    ["s", 1],
    ["ms", 1e-3],
    ["us", 1e-6],
  ] as const) {
    if (seconds >= size) return `${(seconds / size).toPrecision(3)} ${unit}`;
  }
  return `${(seconds * 1e9).toPrecision(3)} ns`;
}

/** Rows as text: ours, rate, each peer with the ratio, and goals. */
export function table(rows: readonly Measured[]): string {
  return rows
    .map(({ name, seconds, best, rate, peers, goals }) => {
      const cells = [name.padEnd(44), `${duration(seconds).padStart(9)} (fastest ${duration(best)})`];
      if (rate) cells.push(`${rate.value.toPrecision(3)} ${rate.unit}`.padStart(14));
      for (const peer of peers) {
        if (peer.absent !== undefined) cells.push(`${peer.name}: not run, ${peer.absent}`);
        else
          cells.push(
            `${peer.name} ${duration(peer.seconds!)}, ratio ${peer.ratio!.toFixed(2)} (fastest ${peer.bestRatio!.toFixed(2)})`,
          );
      }
      for (const { goal, met } of goals) cells.push(`goal ${goal}: ${met ? "met" : "MISSED"}`);
      return cells.join("  ");
    })
    .join("\n");
}

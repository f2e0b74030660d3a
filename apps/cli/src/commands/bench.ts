import { formatSeconds, padText, runClaims } from "@offprint/claims";
import type { Backend } from "@offprint/tensor-core";
import { type DeviceName, deviceOf, openBackend } from "../backend.js";
import { exitCodes, Failure } from "../failure.js";
import { interruptible } from "../interruption.js";
import { loadClaims, type Method, type Registry } from "../registry.js";
import type { Terminal } from "../terminal.js";

/** Options of `offprint bench`. */
export interface BenchOptions {
  readonly devices: readonly DeviceName[];
  readonly threads?: number;
  readonly rounds: number;
  readonly seed: number;
  readonly full?: boolean;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Seconds by claim and device, one per round. */
type Times = Map<string, number[][]>;

function printTable(times: Times, devices: readonly string[], terminal: Terminal): void {
  const heading = ["claim", ...devices, ...devices.slice(1).map((device) => `${device} : ${devices[0]}`)];
  const rows = Array.from(times, ([claim, seconds]) => {
    const medians = seconds.map(median);
    const ratios = medians.slice(1).map((value) => (value / medians[0]!).toFixed(2));
    return [claim, ...medians.map(formatSeconds), ...ratios];
  });
  const widths = heading.map((text, column) => Math.max(text.length, ...rows.map((row) => row[column]!.length)));
  for (const row of [heading, widths.map((width) => "─".repeat(width)), ...rows]) {
    terminal.print(
      row
        .map((text, column) => padText(text, widths[column]!))
        .join("  ")
        .trimEnd(),
    );
  }
}

/**
 * Times a method's claims on one or several devices, round by round, so that a change of the machine's speed meets all
 * devices, and prints medians and their ratios to the first device.
 */
export async function bench(
  registry: Registry,
  method: Method,
  options: BenchOptions,
  terminal: Terminal,
): Promise<number> {
  const { rounds, seed, threads, full } = options;
  const backends: (Backend | undefined)[] = [];
  for (const device of options.devices) {
    const chosen = { device, ...(threads === undefined ? {} : { threads }) };
    backends.push(await openBackend(registry, chosen, (line) => terminal.note(line)));
  }
  const devices = backends.map(deviceOf);
  if (new Set(devices).size < devices.length)
    throw new Failure(`--device names ${devices.join(", ")}: give each once.`);
  const set = await loadClaims(registry, method);
  const times: Times = new Map(set.claims.map(({ id }) => [id, devices.map(() => [])]));
  const done = await interruptible(async (signal) => {
    try {
      for (let round = 0; round < rounds; round++) {
        for (const [place, backend] of backends.entries()) {
          const part = (round * backends.length + place) / (rounds * backends.length);
          const run = await runClaims(set, {
            seed,
            scale: full ? "full" : "quick",
            version: method.version,
            signal,
            ...(backend ? { backend } : {}),
            onProgress: ({ claim, fraction }) =>
              terminal.progress(
                part + fraction / (rounds * backends.length),
                `round ${round + 1} of ${rounds}, ${devices[place]}: ${claim}`,
              ),
          });
          const failed = run.records.find(({ error }) => error !== undefined);
          if (failed)
            throw new Failure(`${method.name} ${failed.id} on ${devices[place]}: ${failed.error}`, exitCodes.failed);
          for (const { id, seconds } of run.records) times.get(id)![place]!.push(seconds);
        }
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  });
  terminal.clearBar();
  if (!done) {
    terminal.note("Interrupted.");
    return exitCodes.interrupted;
  }
  const setting = `${rounds === 1 ? "1 round" : `median of ${rounds} rounds`}, seed ${seed}, ${full ? "full" : "quick"}`;
  terminal.print(`${method.name} ${method.version}: time of each claim, ${setting}\n`);
  printTable(times, devices, terminal);
  return exitCodes.success;
}

import { formatSeconds, runClaims } from "@offprint/claims";
import {
  alignedRows,
  defineCommand,
  deviceNames,
  deviceOptions,
  exitCodes,
  Failure,
  option,
  seedOption,
} from "@offprint/commands";
import type { Backend } from "@offprint/tensor-core";
import { deviceOf, openBackend, parseDevice } from "../backend.js";
import { findMethod, loadClaims, type Registry } from "../registry.js";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Seconds by claim and device, one per round. */
type Times = Map<string, number[][]>;

function tableOf(times: Times, devices: readonly string[]): string[] {
  const heading = ["claim", ...devices, ...devices.slice(1).map((device) => `${device} : ${devices[0]}`)];
  const rows = Array.from(times, ([claim, seconds]) => {
    const medians = seconds.map(median);
    const ratios = medians.slice(1).map((value) => (value / medians[0]!).toFixed(2));
    return [claim, ...medians.map(formatSeconds), ...ratios];
  });
  return alignedRows(rows, heading);
}

/**
 * `offprint bench <method>`: times a method's claims on one or several devices, round by round, so that a change of the
 * machine's speed meets all devices, and prints medians and their ratios to the first device.
 */
export function benchCommand(registry: Registry) {
  return defineCommand({
    name: "bench",
    summary: "time the claims of a method on one or several devices",
    arguments: { method: option.text("name from the list", { required: true }) },
    options: {
      device: option.list(option.parsed(`devices to compare: ${deviceNames.join(", ")}`, "device", parseDevice), {
        default: ["auto"],
      }),
      threads: deviceOptions.threads,
      rounds: option.integer("rounds, in each of which every claim runs once on every device", {
        default: 3,
        least: 1,
      }),
      ...seedOption,
      full: option.flag("at the papers' scale"),
    },
    async run({ arguments: named, options, signal, print, note, progress }) {
      const { rounds, seed, threads } = options;
      const method = findMethod(registry, named.method);
      const scale = options.full ? "full" : "quick";
      const backends: (Backend | undefined)[] = [];
      for (const device of options.device) {
        backends.push(await openBackend(registry, { device, ...(threads !== undefined && { threads }) }, note));
      }
      const devices = backends.map(deviceOf);
      if (new Set(devices).size < devices.length) {
        throw new Failure(`--device names ${devices.join(", ")}: give each once.`);
      }
      const set = await loadClaims(registry, method);
      const times: Times = new Map(set.claims.map(({ id }) => [id, devices.map(() => [])]));
      const runs = rounds * backends.length;
      for (let at = 0; at < runs; at++) {
        const [round, place] = [Math.floor(at / backends.length), at % backends.length];
        const backend = backends[place];
        const run = await runClaims(set, {
          seed,
          scale,
          version: method.version,
          signal,
          ...(backend && { backend }),
          onProgress: ({ claim, fraction }) =>
            progress((at + fraction) / runs, `round ${round + 1} of ${rounds}, ${devices[place]}: ${claim}`),
        });
        const failed = run.records.find(({ error }) => error !== undefined);
        if (failed) {
          throw new Failure(`${method.name} ${failed.id} on ${devices[place]}: ${failed.error}`, exitCodes.negative);
        }
        for (const { id, seconds } of run.records) times.get(id)![place]!.push(seconds);
      }
      const setting = `${rounds === 1 ? "1 round" : `median of ${rounds} rounds`}, seed ${seed}, ${scale}`;
      print(`${method.name} ${method.version}: time of each claim, ${setting}\n`);
      for (const line of tableOf(times, devices)) print(line);
    },
  });
}

import { existsSync } from "node:fs";
import type { CommandInput } from "@offprint/claims";
import { loadFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import {
  ChebCB,
  FixedSetting,
  type OnlinePolicy,
  omegaGrid,
  policyFromJSON,
  TsallisInf,
  TsallisInfBinned,
} from "../src/index.js";

/** The policy of a state file that exists, or a new one as the options say. */
export async function chosenPolicy(
  options: CommandInput["options"],
  contexts: Float64Array | undefined,
  state: string | undefined,
): Promise<OnlinePolicy> {
  if (state !== undefined && existsSync(state)) return loadFile(state, parsePolicy);
  const settings = omegaList(options["omegas"] as string);
  const seed = options["seed"] as number;
  const name = (options["policy"] as string | undefined) ?? (contexts === undefined ? "tsallis-inf" : "cheb-cb");
  if (name === "tsallis-inf") return new TsallisInf({ settings, seed });
  if (name === "cheb-cb" || name === "tsallis-inf-binned") {
    if (contexts === undefined) throw new ValueError(`--policy ${name}: it needs --contexts`);
    const range = rangeOf(options["range"] as string | undefined, contexts);
    if (name === "cheb-cb") return new ChebCB({ settings, seed, range, features: options["features"] as number });
    return new TsallisInfBinned({ settings, seed, range, bins: options["bins"] as number });
  }
  const omega = Number(name);
  if (!(omega > 0 && omega < 2)) {
    throw new ValueError(
      `--policy: take cheb-cb, tsallis-inf, tsallis-inf-binned, or an omega between 0 and 2; got "${name}"`,
    );
  }
  return new FixedSetting(omega);
}

function parsePolicy(bytes: Uint8Array): OnlinePolicy {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FormatError("the state of the policy is not JSON", { cause });
  }
  const policy = policyFromJSON<number>(json);
  if (!policy.settings.every((omega) => typeof omega === "number" && omega > 0 && omega < 2)) {
    throw new FormatError("the settings of the policy are not relaxation parameters between 0 and 2");
  }
  return policy;
}

function omegaList(text: string): number[] {
  const range = text.split(":").map(Number);
  const list = range.length === 3 ? omegaGrid(range[0], range[1], range[2]) : text.split(",").map(Number);
  if (!list.every((omega) => omega > 0 && omega < 2)) {
    throw new ValueError(`--omegas: give first:last:count or a list, all between 0 and 2; got "${text}"`);
  }
  return list;
}

function rangeOf(text: string | undefined, contexts: Float64Array): [number, number] {
  if (text === undefined) {
    const [low, high] = [contexts.reduce((m, c) => Math.min(m, c)), contexts.reduce((m, c) => Math.max(m, c))];
    if (low < high) return [low, high];
    throw new ValueError("--range: all contexts are equal; give the range of those to come, as in 0,10");
  }
  const [low, high, ...more] = text.split(",").map(Number);
  if (more.length > 0 || !(low! < high!)) throw new ValueError(`--range: give low,high with low < high; got "${text}"`);
  return [low!, high!];
}

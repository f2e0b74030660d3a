import { existsSync } from "node:fs";
import { type CommandInput, type Options, option, seedOption, type Values } from "@offprint/commands";
import { loadFile } from "@offprint/data/node";
import { FormatError, ValueError } from "@offprint/tensor-core";
import {
  ChebCB,
  FixedSetting,
  type OnlinePolicy,
  omegaGrid,
  type PolicyState,
  policyFromJSON,
  TsallisInf,
  TsallisInfBinned,
} from "../src/index.js";

const learned = ["cheb-cb", "tsallis-inf", "tsallis-inf-binned"] as const;

/** Which policy chooses omega, and what it knows. */
export const policyOptions = {
  policy: option.parsed(
    `${learned.join(", ")}, or an omega; default cheb-cb with contexts, tsallis-inf without`,
    "policy",
    policyWord,
  ),
  omegas: option.parsed("first:last:count, or a list 1,1.3,1.6", "omegas", omegaList, {
    default: omegaGrid(1, 1.95, 20),
  }),
  range: option.list(option.number("least and greatest context, as in 0,10; default those of the file"), {
    least: 2,
    most: 2,
  }),
  chebyshev: option.integer("cheb-cb: Chebyshev polynomials per omega", { default: 6, least: 1 }),
  bins: option.integer("tsallis-inf-binned: parts of the range", { default: 5, least: 1 }),
  policyState: option.fileOut("file of what the policy has learned (JSON): read if it exists, and written", {
    endings: [".json"],
  }),
  ...seedOption,
};

/**
 * The policy of a file that exists, or a new one as the options say.
 *
 * @throws Failure for options that say other than the file does, or that the policy has no use for
 */
export async function chosenPolicy(
  options: Values<typeof policyOptions>,
  contexts: Float64Array | undefined,
  refuse: CommandInput<Options, typeof policyOptions>["refuse"],
): Promise<OnlinePolicy> {
  const { policyState: file } = options;
  const kept = file !== undefined && existsSync(file);
  const policy = kept ? await loadFile(file, parsePolicy) : newPolicy(options, contexts);
  const state = policy.toJSON();
  refuse(
    [...unlike(options, state), ...(kept || policy instanceof FixedSetting ? (["seed"] as const) : [])],
    kept ? `${file} holds a policy already, ${named(state)}` : `the policy is ${named(state)}`,
  );
  return policy;
}

function newPolicy(options: Values<typeof policyOptions>, contexts: Float64Array | undefined): OnlinePolicy {
  const { omegas: settings, seed, chebyshev: features, bins } = options;
  const name = options.policy ?? (contexts === undefined ? "tsallis-inf" : "cheb-cb");
  if (typeof name === "number") return new FixedSetting(name);
  if (name === "tsallis-inf") return new TsallisInf({ settings, seed });
  if (contexts === undefined) throw new ValueError(`--policy ${name}: it needs --contexts`);
  const range = rangeOf(options.range, contexts);
  return name === "cheb-cb"
    ? new ChebCB({ settings, seed, range, features })
    : new TsallisInfBinned({ settings, seed, range, bins });
}

/** The word for a policy on the command line. */
function named({ policy, settings }: PolicyState): string {
  return policy === "fixed" ? `the omega ${settings[0]}` : policy;
}

/** Options with other values than a policy has. */
function unlike(options: Values<typeof policyOptions>, { policy, settings, memory }: PolicyState) {
  const has = {
    policy: policy === "fixed" ? settings[0] : policy,
    omegas: policy === "fixed" ? undefined : settings,
    range: memory["range"],
    chebyshev: memory["features"],
    bins: Array.isArray(memory["bins"]) ? memory["bins"].length : undefined,
  };
  const names = Object.keys(has) as (keyof typeof has)[];
  return names.filter((name) => String(options[name]) !== String(has[name]));
}

/** One of the policies by name, or the only omega. */
function policyWord(text: string): (typeof learned)[number] | number {
  const found = learned.find((name) => name === text);
  if (found !== undefined) return found;
  const omega = Number(text);
  if (omega > 0 && omega < 2) return omega;
  throw new ValueError(`take ${learned.join(", ")}, or an omega between 0 and 2; got "${text}"`);
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
  const [first, last, count] = range;
  const list = range.length === 3 ? omegaGrid(first!, last!, count!) : text.split(",").map(Number);
  if (list.every((omega) => omega > 0 && omega < 2)) return list;
  throw new ValueError(`give first:last:count or a list, all between 0 and 2; got "${text}"`);
}

function rangeOf(given: readonly number[] | undefined, contexts: Float64Array): [number, number] {
  const [low, high] = given ?? [
    contexts.reduce((least, c) => Math.min(least, c)),
    contexts.reduce((most, c) => Math.max(most, c)),
  ];
  if (low! < high!) return [low!, high!];
  throw new ValueError(
    given
      ? `--range: give low,high with low < high; got ${given.join()}`
      : "--range: all contexts are equal; give the range of those to come, as in 0,10",
  );
}

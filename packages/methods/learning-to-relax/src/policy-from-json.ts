import { FormatError, OffprintError, requireObject, ValueError } from "@offprint/tensor-core";
import { EpsilonGreedy, FixedSetting, Ucb1 } from "./baselines.js";
import { ChebCB } from "./cheb-cb.js";
import type { OnlinePolicy, PolicyState } from "./policy.js";
import { object } from "./saved-state.js";
import { TsallisInf } from "./tsallis-inf.js";
import { TsallisInfBinned } from "./tsallis-inf-binned.js";

const kinds: Readonly<Record<string, (state: PolicyState) => OnlinePolicy<unknown>>> = {
  "cheb-cb": ChebCB.fromState,
  "epsilon-greedy": EpsilonGreedy.fromState,
  fixed: FixedSetting.fromState,
  "tsallis-inf": TsallisInf.fromState,
  "tsallis-inf-binned": TsallisInfBinned.fromState,
  ucb1: Ucb1.fromState,
};

/** @throws ValueError unless `settings` are those of a saved policy, as far as JSON can tell. */
function sameSettings<Setting>(settings: readonly Setting[], saved: PolicyState): readonly Setting[] {
  requireObject("policyFromJSON", "settings", settings, "an array");
  const [given, known] = [settings, saved.settings].map((each) => JSON.stringify(each));
  if (given === known) return settings;
  throw new ValueError(`policyFromJSON: settings are ${given}, and those of the policy ${known}; give the same`);
}

/**
 * The policy that `toJSON` described, which goes on bit for bit: a simulation that was stopped, or the next one of its kind.
 *
 * @param json - what `toJSON` returned, or `JSON.parse` of its text.
 * @param settings - the settings that the policy was made with, where JSON loses some of what they are, such as functions.
 * @throws FormatError for anything else; ValueError for settings that are not those of `json`.
 */
export function policyFromJSON<Setting = number>(json: unknown, settings?: readonly Setting[]): OnlinePolicy<Setting> {
  const saved = object(json, "policyFromJSON: json") as unknown as PolicyState;
  const state = settings === undefined ? saved : { ...saved, settings: sameSettings(settings, saved) };
  const lost =
    Array.isArray(state.settings) && settings === undefined ? state.settings.findIndex((s) => s == null) : -1;
  if (lost >= 0) {
    throw new FormatError(
      `policyFromJSON: settings[${lost}] is ${state.settings[lost]}, as it was nothing that JSON holds; give the settings too`,
    );
  }
  const restore = Object.hasOwn(kinds, state.policy) ? kinds[state.policy] : undefined;
  if (restore === undefined || state.version !== 1) {
    throw new FormatError(
      `policyFromJSON: policy is "${state.policy}" in version ${state.version}; ` +
        `it must be one of ${Object.keys(kinds).join(", ")} in version 1`,
    );
  }
  try {
    return restore(state) as OnlinePolicy<Setting>;
  } catch (error) {
    // Options out of range are errors of the file here.
    if (error instanceof FormatError || !(error instanceof OffprintError)) throw error;
    throw new FormatError(`policyFromJSON: ${error.message}`, { cause: error });
  }
}

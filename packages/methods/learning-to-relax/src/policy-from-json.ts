import { FormatError, OffprintError } from "@offprint/tensor-core";
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

/**
 * The policy that `toJSON` described, which goes on bit for bit: a simulation that was stopped, or the next one of its kind.
 *
 * @param json - what `toJSON` returned, or `JSON.parse` of its text.
 * @throws FormatError for anything else.
 */
export function policyFromJSON<Setting = number>(json: unknown): OnlinePolicy<Setting> {
  const state = object(json, "policyFromJSON: json") as unknown as PolicyState;
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

import { type Tensor, tree, ValueError } from "@offprint/tensor-core";
import type { SsoPlace } from "./sso-step.js";
import type { Metric, MetricState } from "./target-metric.js";
import type { OracleCalls } from "./target-oracle.js";

/** Whether parameters are a tree with leaves of the shapes of others. */
export function fits(found: unknown, wanted: unknown): boolean {
  if (typeof found !== "object" || found === null) return false;
  const shapes = (params: unknown) => tree.leaves<Tensor>(params).map((leaf) => String(leaf?.shape));
  return shapes(found).join(";") === shapes(wanted).join(";");
}

/** @throws ValueError where parameters to go on from are not those of this model. */
export function checkParams(owner: string, found: unknown, wanted: unknown): void {
  if (fits(found, wanted)) return;
  throw new ValueError(`${owner}: resume is a state of another model; give one of a run with this model`);
}

/**
 * Checks a place to go on from.
 * @param examples - number of examples that the metric remembers, if it does
 * @throws ValueError where it is of another model, another metric or other data, or lacks something.
 */
export function checkPlace(
  owner: string,
  place: SsoPlace<unknown> | undefined,
  params: unknown,
  metric: Metric = "euclidean",
  examples = 0,
): void {
  checkParams(owner, place?.params, params);
  const { step, calls, forwardCalls, metric: remembered } = place as SsoPlace<unknown>;
  if (![step, forwardCalls, calls?.grad, calls?.loss].every(isCount) || !isMetricState(remembered)) {
    throw new ValueError(
      `${owner}: resume is damaged: it lacks counts or what the metric remembers; give a whole state`,
    );
  }
  const { first, second } = remembered;
  const seen = metric === "adam" || metric === "adagrad-diag" ? [0, examples] : [0];
  const own = seen.some((rows) => (rows === 0 ? second.length === 0 : second.length % rows === 0));
  if (!own || first.length !== (metric === "adam" ? second.length : 0)) {
    throw new ValueError(
      `${owner}: resume is a state of another metric than ${metric}, or of other data; give one of a run with them`,
    );
  }
}

/** @throws ValueError where calls are not counted. */
export function checkCalls(owner: string, calls: OracleCalls | undefined, forwardCalls: unknown): void {
  if ([calls?.grad, calls?.loss, forwardCalls].every(isCount)) return;
  throw new ValueError(`${owner}: resume is damaged: it lacks counts of calls; give a whole state`);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isMetricState(state: MetricState | undefined): state is MetricState {
  const numbers = [state?.lastEta, state?.sumOfSquares, state?.step];
  const lists = [state?.first, state?.second];
  return numbers.every(Number.isFinite) && lists.every((list) => list instanceof Float64Array);
}

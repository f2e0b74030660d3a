import { adam, type GradientTransformation, sgd } from "@offprint/optim";
import { hostTensor, ValueError } from "@offprint/tensor-core";
import type { Client } from "./black-box.js";
import { Desk } from "./desk.js";
import { differenceGradient } from "./difference-gradient.js";
import type { ClientAnswer, ClientState, Correction, LocalState, OptimizerSettings, Question } from "./messages.js";
import { SurrogateView } from "./surrogate-view.js";
import { clipped } from "./unit-box.js";

/**
 * @internal The answer to a question, and what the client knows after it. A pure function but for the black box.
 * @param state - Nothing before the first question.
 */
export async function answered(
  client: Client,
  name: string,
  state: ClientState | undefined,
  question: Question,
): Promise<{ readonly state: ClientState; readonly answer: ClientAnswer }> {
  if (question.kind === "begin") {
    const { settings } = question;
    const x = settings.initial;
    const empty = { settings, x: new Float64Array(0), y: new Float64Array(0), queries: 0, checks: 0 };
    const desk = new Desk(client, name, empty, x.length);
    if (settings.estimator.kind === "surrogate") await new SurrogateView(desk, settings.estimator, null).explore(x);
    return settled(desk, question.id, { value: await desk.check(x) }, { local: null, weights: null });
  }
  if (state === undefined) throw new ValueError(`${name} knows nothing of this run; resume it from a saved state`);
  // Asked again: the answer was lost on its way.
  if (question.id === state.last.id) return { state, answer: state.last.answer };
  if (question.id !== state.last.id + 1) {
    throw new ValueError(
      `${name} has answered question ${state.last.id} and is asked question ${question.id}; resume the run from its last state`,
    );
  }
  const kept = { local: state.local, weights: state.weights };
  if (question.kind === "state" || question.kind === "restore") return { state, answer: state.last.answer };
  const desk = new Desk(client, name, state, question.x.length);
  if (question.kind === "value") return settled(desk, question.id, { value: await desk.check(question.x) }, kept);
  if (question.kind === "local") {
    const local = await localSteps(desk, state, question);
    const last = question.to === desk.settings.localSteps;
    const answer = last ? { z: local.z, estimate: local.sum.map((v) => v / desk.settings.localSteps) } : {};
    return settled(desk, question.id, answer, { local, weights: state.weights });
  }
  const { estimator } = desk.settings;
  if (estimator.kind === "differences") {
    const estimate = await differenceGradient(desk, estimator, question.x, `report ${question.round}`);
    return settled(desk, question.id, { estimate }, kept);
  }
  const view = new SurrogateView(desk, estimator, state.local?.length ?? null);
  const found = await view.report(question.x, state.local?.z ?? question.x, question.round);
  return settled(desk, question.id, found, { local: state.local, weights: found.weights ?? null });
}

function settled(
  { settings, log, queries, checks }: Desk,
  id: number,
  found: Omit<ClientAnswer, "queries" | "checks">,
  kept: Pick<ClientState, "local" | "weights">,
) {
  const answer: ClientAnswer = { queries, checks, ...found };
  const state: ClientState = { settings, ...log.all(), queries, checks, ...kept, last: { id, answer } };
  return { state, answer };
}

async function localSteps(
  desk: Desk,
  state: ClientState,
  { x, round, from, to, gammas, correction }: Question & { kind: "local" },
): Promise<LocalState> {
  const { estimator, localSteps: steps, bounds } = desk.settings;
  const optimizer = optimizerOf(desk.settings.optimizer);
  const vector = (values: Float64Array) => hostTensor(values, [desk.d], "float64");
  let local = state.local;
  if (from === 0 || local === null) {
    const optimizerState = optimizer.init(vector(x));
    local = { z: x, optimizer: optimizerState, unit: null, sum: new Float64Array(desk.d), length: null };
    if (estimator.kind === "surrogate") await desk.learn([x]);
  }
  const step = async (before: LocalState, t: number): Promise<LocalState> => {
    const { z, optimizer: moments, sum, length } = before;
    const view = estimator.kind === "surrogate" ? new SurrogateView(desk, estimator, length) : null;
    const gradient =
      estimator.kind === "differences"
        ? await differenceGradient(desk, estimator, z, `local ${round} ${t}`)
        : view!.gradient(z);
    const toward = correctionAt(correction, z, x, view, state.weights);
    const corrected = gradient.map((g, k) => g + gammas[t] * toward[k]);
    const unit = before.unit ?? unitOf(desk.settings.optimizer, corrected);
    const inUnits = corrected.map((g) => g / (unit ?? 1));
    const { updates, state: optimized } = optimizer.update(vector(inUnits), moments, vector(z));
    const way = updates.data();
    const next = clipped(
      bounds,
      z.map((v, k) => v + way[k]),
    );
    if (view !== null) {
      await desk.learn([next]);
      if (t < steps - 1) await view.exploreLocally(next, round, t);
    }
    const total = sum.map((v, k) => v + gradient[k]);
    return { z: next, optimizer: optimized, unit, sum: total, length: view?.length ?? null };
  };
  for (let t = from; t < to; t++) local = await step(local, t);
  return local;
}

/** Global less own gradient, or what stands for it. */
function correctionAt(
  correction: Correction | null,
  z: Float64Array,
  start: Float64Array,
  view: SurrogateView | null,
  weights: Float64Array | null,
): ArrayLike<number> {
  if (correction === null) return new Float64Array(z.length);
  if (correction.kind === "proximal") return z.map((v, k) => v - start[k]);
  if (correction.kind === "constant") return correction.vector;
  if (view === null) return new Float64Array(z.length);
  if (correction.kind === "posterior") return view.posteriorCorrection(z, correction);
  return weights === null ? new Float64Array(z.length) : view.featureCorrection(z, correction.weights, weights);
}

/** What Adam measures gradients in, so that the objective's unit does not matter: the first one of the round that is not zero. */
function unitOf({ kind }: OptimizerSettings, gradient: Float64Array): number | null {
  if (kind === "sgd") return 1;
  const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  return largest > 0 ? largest : null;
}

const optimizers = new Map<string, GradientTransformation>();

/** Made once for each setting, as its update is compiled. */
function optimizerOf({ kind, learningRate, epsilon = 1e-8 }: OptimizerSettings): GradientTransformation {
  const key = `${kind} ${learningRate} ${epsilon}`;
  const known = optimizers.get(key) ?? (kind === "adam" ? adam({ learningRate, epsilon }) : sgd({ learningRate }));
  optimizers.set(key, known);
  return known;
}

import { hostTensor, type random } from "@offprint/tensor-core";
import { mostUncertain } from "./active-queries.js";
import type { Desk } from "./desk.js";
import { type FourierSurrogate, fourierSurrogate } from "./fourier-surrogate.js";
import type { ActiveSettings, ClientAnswer, Correction, SharedTrajectory, SurrogateEstimator } from "./messages.js";
import { type TrajectorySurrogate, trajectorySurrogate } from "./trajectory-surrogate.js";
import { clipped } from "./unit-box.js";

/** Half the side of the cube in which the first queries lie, in parts of the box. */
const FIRST_RADIUS = 0.01;

/** @internal What a client that learns from its queries sees. */
export class SurrogateView {
  readonly #desk: Desk;
  readonly #settings: SurrogateEstimator;
  #length: number | null;

  /** @param length - that of the round, where it was found. */
  constructor(desk: Desk, settings: SurrogateEstimator, length: number | null) {
    this.#desk = desk;
    this.#settings = settings;
    this.#length = length;
  }

  /** Length scale of the round's surrogates, once one was made. */
  get length(): number | null {
    return this.#length;
  }

  /** The first queries. */
  async explore(x: Float64Array): Promise<void> {
    const { client, settings } = this.#desk;
    const own = client.points?.initial;
    if (own !== undefined) return this.#desk.learn(this.#desk.own("initial", own(this.#desk.outside(x))));
    const count = this.#settings.initialQueries;
    const places = drawn(this.#desk.rng("initial"), x, FIRST_RADIUS, count);
    return this.#desk.learn(places.map((place) => clipped(settings.bounds, place)));
  }

  /** `[d]` gradient of the process of the nearest queries at z. */
  gradient(z: Float64Array): Float64Array {
    return Float64Array.from(this.#surrogateNear(z).gradient(vector(z)).data());
  }

  /** Queries around the local point, where the surrogate knows least. */
  async exploreLocally(z: Float64Array, round: number, step: number): Promise<void> {
    const own = this.#desk.client.points?.local;
    if (own !== undefined) return this.#desk.learn(this.#desk.own("local", own(round, step, this.#desk.outside(z))));
    const { local } = this.#settings;
    await this.#exploreAround(z, local, local.radius as number, `local ${round} ${step}`);
  }

  /** The end of a round: queries at and around the server's point, and the features fitted to those that are near. */
  async report(x: Float64Array, z: Float64Array, round: number): Promise<Pick<ClientAnswer, "weights" | "trajectory">> {
    const { log } = this.#desk;
    const { server, local, correction, maxFeatureQueries, maxLocalQueries } = this.#settings;
    await this.#desk.learn([x]);
    const own = this.#desk.client.points?.server;
    if (own !== undefined) await this.#desk.learn(this.#desk.own("server", own(round, this.#desk.outside(x))));
    else {
      const gone = x.reduce((total, v, k) => total + Math.abs(v - z[k]), 0) / x.length;
      // Where all clients agree they have gone nowhere: places would be asked again that are known.
      const radius = server.radius === "auto" ? Math.max(gone / 2, local.radius as number) : server.radius;
      await this.#exploreAround(x, server, radius, `server ${round}`);
    }
    if (correction === "none") return {};
    if (correction === "posterior") return { trajectory: log.nearest(x, maxLocalQueries) };
    const near = log.nearest(x, maxFeatureQueries);
    const weights = this.#features().fit(rows(near, x.length), near.y, { capacity: maxFeatureQueries });
    return { weights: Float64Array.from(weights.data()) };
  }

  /** Gradient of the global features less that of the own ones, at z: one gradient, as it is linear in the weights. */
  featureCorrection(z: Float64Array, global: Float64Array, own: Float64Array): ArrayLike<number> {
    const difference = global.map((w, m) => w - own[m]);
    return this.#features().gradient(difference, vector(z)).data();
  }

  /** The same with everybody's exact process. */
  posteriorCorrection(
    z: Float64Array,
    { trajectories, shares, own }: Correction & { kind: "posterior" },
  ): Float64Array {
    const gradients = trajectories.map((trajectory) => this.#surrogateOf(trajectory).gradient(vector(z)).data());
    return Float64Array.from(z, (_, k) => {
      const global = gradients.reduce((total, gradient, i) => total + shares[i] * gradient[k], 0);
      return global - gradients[own][k];
    });
  }

  #surrogateNear(z: Float64Array): TrajectorySurrogate {
    return this.#surrogateOf(this.#desk.log.nearest(z, this.#settings.maxLocalQueries));
  }

  #surrogateOf(queries: SharedTrajectory): TrajectorySurrogate {
    const { kernel, length, noise, maxLocalQueries: capacity } = this.#settings;
    const options = { kernel, noise, capacity, length: this.#length ?? length };
    const surrogate = trajectorySurrogate(rows(queries, this.#desk.d), queries.y, options);
    this.#length = surrogate.length;
    return surrogate;
  }

  async #exploreAround(place: Float64Array, settings: ActiveSettings, radius: number, purpose: string): Promise<void> {
    const { count, candidates } = settings;
    if (count === 0) return;
    const { bounds } = this.#desk.settings;
    const random = this.#settings.choice === "random";
    const places = drawn(this.#desk.rng(purpose), place, radius, random ? count : candidates).map((each) =>
      clipped(bounds, each),
    );
    await this.#desk.learn(random ? places : mostUncertain(this.#surrogateNear(place), places, count));
  }

  #features(): FourierSurrogate {
    const { features, featureLength: length } = this.#settings;
    return fourierSurrogate(this.#desk.d, { features, length, seed: this.#desk.settings.seed });
  }
}

function vector(x: Float64Array) {
  return hostTensor(x, [x.length], "float64");
}

function rows({ x, y }: SharedTrajectory, d: number) {
  return hostTensor(x, [y.length, d], "float64");
}

/** Places even in a cube around one. */
function drawn(rng: random.Rng, place: Float64Array, radius: number, count: number): Float64Array[] {
  const d = place.length;
  const offsets = rng.uniform([count, d], { low: -radius, high: radius, dtype: "float64" }).data();
  return Array.from({ length: count }, (_, j) => place.map((v, k) => v + offsets[j * d + k]));
}

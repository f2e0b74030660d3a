import { random, ShapeError, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";
import { type Client, valueAt } from "./black-box.js";
import type { ClientSettings, ClientState } from "./messages.js";
import { QueryLog } from "./query-log.js";
import { fromUnit, toUnit } from "./unit-box.js";

/** @internal A client as the parts of an answer see it: what it may ask, and what it knows. */
export class Desk {
  readonly client: Client;
  readonly name: string;
  readonly settings: ClientSettings;
  readonly log: QueryLog;
  readonly d: number;
  queries: number;
  checks: number;

  constructor(
    client: Client,
    name: string,
    state: Pick<ClientState, "settings" | "x" | "y" | "queries" | "checks">,
    d: number,
  ) {
    this.client = client;
    this.name = name;
    this.settings = state.settings;
    this.log = new QueryLog(d, state.x, state.y);
    this.d = d;
    this.queries = state.queries;
    this.checks = state.checks;
  }

  /** Chance of a purpose: the same for all clients, so that equal clients stay equal. */
  rng(purpose: string): random.Rng {
    return random.rng(this.settings.seed).fork(purpose);
  }

  /** Asks the black box at places of the unit box, all at once. */
  async ask(places: readonly Float64Array[]): Promise<number[]> {
    const values = await Promise.all(places.map((place) => this.#value(place)));
    this.queries += places.length;
    return values;
  }

  /** Asks, and keeps what it was told. */
  async learn(places: readonly Float64Array[]): Promise<void> {
    const values = await this.ask(places);
    places.forEach((place, j) => {
      this.log.add(place, values[j]);
    });
  }

  /** Asks to judge a point by. */
  async check(place: Float64Array): Promise<number> {
    this.checks += 1;
    return this.#value(place);
  }

  /** Places that the user has chosen, `[count, d]`, in the unit box. */
  own(name: string, points: TensorLike): Float64Array[] {
    const t = tensor(points, { dtype: "float64" });
    if (t.rank !== 2 || t.shape[1] !== this.d) {
      throw new ShapeError(`points.${name} of ${this.name} gave shape [${t.shape}]; it must give [count, ${this.d}]`);
    }
    return rowsOf(t).map((row) => toUnit(this.settings.bounds, row));
  }

  /** A place in the client's coordinates. */
  outside(place: Float64Array): Float64Array {
    return fromUnit(this.settings.bounds, place);
  }

  #value(place: Float64Array): Promise<number> {
    return valueAt(this.client, this.name, this.outside(place));
  }
}

function rowsOf(t: Tensor): Float64Array[] {
  const [n, d] = t.shape;
  const values = t.data();
  return Array.from({ length: n }, (_, j) => Float64Array.from(values.subarray(j * d, (j + 1) * d)));
}

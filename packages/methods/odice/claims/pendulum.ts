import { meanOf } from "@offprint/claims";
import { type Rng, tensor } from "@offprint/tensor-core";
import { type OfflineDataset, offlineDataset, type Policy } from "../src/index.js";

/** Angle from upright, and its speed. */
type State = readonly [angle: number, speed: number];

const length = 100;
const clamp = (v: number, most: number): number => Math.min(most, Math.max(-most, v));
const wrapped = (angle: number): number => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
const seen = ([angle, speed]: State): number[] => [Math.cos(angle), Math.sin(angle), speed / 8];

/** `th'' = 15 sin th + 3 u` by semi-implicit Euler, and the reward of the state before. */
function moved([angle, speed]: State, torque: number): { next: State; reward: number } {
  const u = clamp(torque, 2);
  const reward = -(wrapped(angle) ** 2 + 0.1 * speed ** 2 + 0.001 * u ** 2);
  const faster = clamp(speed + 0.05 * (15 * Math.sin(angle) + 3 * u), 8);
  return { next: [angle + 0.05 * faster, faster], reward };
}

/** Pumps energy until the pendulum is near the top, then holds it. */
function controller([angle, speed]: State): number {
  const th = wrapped(angle);
  if (Math.abs(th) <= 0.5) return 2 * clamp(-(10 * th + 2 * speed) / 2, 1);
  const energy = speed ** 2 / 6 + 5 * Math.cos(th) - 5;
  return 2 * Math.sign(-energy * speed || 1);
}

const start = (rng: Rng): State => {
  const [a, b] = rng.uniform([2], { low: -1, high: 1, dtype: "float64" }).data();
  return [a * Math.PI, b];
};

/** Episodes of mixed quality: three in ten by a controller, the rest by a torque that wanders. */
export function pendulumData(rng: Rng, episodes = 150): OfflineDataset {
  const [here, next, actions]: number[][][] = [[], [], []];
  const [rewards, timeouts]: number[][] = [[], []];
  for (let episode = 0; episode < episodes; episode++) {
    const skilled = episode < 0.3 * episodes;
    const noise = rng.normal([length], { dtype: "float64" }).data();
    let state = start(rng);
    let wander = 0;
    for (let k = 0; k < length; k++) {
      wander = 0.9 * wander + 0.4 * noise[k];
      const torque = clamp(skilled ? controller(state) + 0.3 * noise[k] : 2 * wander, 2);
      const made = moved(state, torque);
      here.push(seen(state));
      next.push(seen(made.next));
      actions.push([torque / 2]);
      rewards.push(made.reward);
      timeouts.push(k === length - 1 ? 1 : 0);
      state = made.next;
    }
  }
  const terminals = rewards.map(() => 0);
  return offlineDataset({ observations: here, nextObservations: next, actions, rewards, terminals, timeouts });
}

/** Mean return of a policy from random starts. */
export function pendulumReturns(rng: Rng, policy: Policy, episodes = 100): number {
  let states = Array.from({ length: episodes }, () => start(rng));
  const totals = new Array<number>(episodes).fill(0);
  for (let k = 0; k < length; k++) {
    const actions = policy.act(tensor(states.map(seen))).data();
    states = states.map((state, i) => {
      const { next, reward } = moved(state, 2 * actions[i]);
      totals[i] += reward;
      return next;
    });
  }
  return meanOf(totals);
}

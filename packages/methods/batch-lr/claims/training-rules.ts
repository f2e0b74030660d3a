import { adam } from "@offprint/optim";
import { add, grad, mul, slice, sub, type Tensor, tree } from "@offprint/tensor-core";
import { type Network, networkLoss, type TrainingRule, zerosLike } from "./digits-network.js";

/** How networks are trained: a state to begin with, and a step. */
export interface Rule<S> {
  readonly init: (network: Network) => S;
  readonly step: TrainingRule<S>;
}

const combined = (f: (a: Tensor, b: Tensor) => Tensor, a: Network, b: Network): Network => tree.map(f, a, b) as Network;

/** Heavy ball; rates are learning rate and momentum. SGD with momentum 0. */
export const heavyBall: Rule<Network> = {
  init: zerosLike,
  step({ network, state }, rates, images) {
    const [rate, momentum] = [slice(rates, [0]), slice(rates, [1])];
    const velocity = combined((v, g) => add(mul(v, momentum), g), state, grad(networkLoss)(network, images) as Network);
    return { network: combined((w, v) => sub(w, mul(v, rate)), network, velocity), state: velocity };
  },
};

const unit = adam({ learningRate: 1, beta1: 0.9, beta2: 0.999 });
type AdamState = ReturnType<typeof unit.init>;

/** Adam; its only rate is the learning rate, in which an update is linear. */
export const adamRule: Rule<AdamState> = {
  init: (network) => unit.init(network),
  step({ network, state }, rates, images) {
    const slope = grad(networkLoss)(network, images) as Network;
    const { updates, state: next } = unit.update(slope, state, network);
    const rate = slice(rates, [0]);
    return { network: combined((w, u) => add(w, mul(u, rate)), network, updates), state: next };
  },
};

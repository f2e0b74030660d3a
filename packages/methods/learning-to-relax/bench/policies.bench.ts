import { compare, python } from "@offprint/bench";
import { ChebCB, omegaGrid, TsallisInf } from "../src/index.js";

const peers = python(new URL("policy_peers.py", import.meta.url));

/** What does a choice and its update cost, with d arms, and after a long history? */
export async function run() {
  for (const arms of [20, 160]) {
    const settings = omegaGrid(1, 1.95, arms);
    const policy = new TsallisInf({ settings, seed: 0 });
    await compare({
      name: `Tsallis-INF, one round, ${arms} arms`,
      ours: () => policy.update(30 + 100 * Math.abs(policy.choose() - 1.6)),
      peers: { "NumPy, as published": peers.peer("tsallis", arms) },
    });
  }
  for (const rounds of [500, 4000]) {
    const policy = new ChebCB({ settings: omegaGrid(), seed: 0, range: [0, 1] });
    let t = 0;
    const round = () => {
      const context = ((t++ * 0.6180339887) % 1) ** 2;
      policy.update(Math.round(30 + 100 * Math.abs(policy.choose(context) - 1.2 - 0.6 * context)));
    };
    for (let k = 0; k < rounds; k++) round();
    await compare({
      name: `ChebCB, one round after ${rounds}, 20 arms, 6 features`,
      ours: round,
      peers: { "NumPy, refitting an arm's history": peers.peer("cheb", rounds) },
    });
  }
}

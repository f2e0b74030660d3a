import { compare, python } from "@offprint/bench";
import { designWith, dnaLandscape, fitTable, loadExampleModel } from "@offprint/bib";
import { random, type Tensor, tree } from "@offprint/tensor-core";

/* How long do 25 steps of 128 designs take, beside PyTorch: all designs in one batch, and one after the other as in the paper's script? */

const torch = python(new URL("torch_peers.py", import.meta.url));

const ROWS = 2000;
/** Of the batch, and of the comparison with designs one after the other. */
const [DESIGNS, FEW] = [128, 8];
const STEPS = 25;

const table = dnaLandscape({ seed: 0 }).table(ROWS, random.rng("bench"));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const model = await loadExampleModel({ landscape: 0 });
  const fit = fitTable(table, model);
  const params = Object.fromEntries(
    tree.leaves<Tensor>(model.parameters).map((leaf, i) => [tree.paths(model.parameters)[i], leaf.toArray()]),
  );
  const { logits } = await designWith(fit, { starts: DESIGNS, steps: 0 });
  const data = {
    ...{ params, sequences: table.sequences, scores: Array.from(table.scores), head: fit.tensors.head.toArray() },
    ...{ logits: logits.toArray() as number[][][], steps: STEPS, heads: 2 },
  };
  await compare({
    name: `${STEPS} steps of ${DESIGNS} designs from ${ROWS} rows, BIB, tiny language model`,
    ours: () => designWith(fit, { starts: DESIGNS, steps: STEPS }),
    peers: { torch: torch.peer("batched", data) },
    maxRatio: 0.7,
    repetitions: 3,
  });
  await compare({
    name: `${STEPS} steps of ${FEW} designs, one after the other in PyTorch, as the paper's script does`,
    ours: () => designWith(fit, { starts: FEW, steps: STEPS }),
    peers: { torch: torch.peer("script", { ...data, logits: data.logits.slice(0, FEW) }) },
    maxRatio: 0.7,
    repetitions: 3,
  });
}

// Compares compiled random programs and their gradients with their graphs, as many as told:
// node --conditions=@offprint/source --import ./tooling/typescript/register.mjs \
//   packages/core/tensor-core/test/host-compiler/long-run.ts 1000
import { randomProgram } from "../../src/conformance/random-program.js";
import { Source } from "../../src/conformance/sampling.js";
import { cast, grad, scan, type Tensor, tensor, vmap } from "../../src/index.js";
import { weightedSum } from "../properties/finite-differences.js";
import { disagreement } from "./agreement.js";

const count = Number(process.argv[2] ?? 1000);
const limits = [0, 5, 16];
let worst = 0;
let failed = 0;
for (let seed = 0; seed < count; seed++) {
  const program = randomProgram(new Source(50_000 + seed), 4 + (seed % 12));
  const loss = (x: Tensor[]) => weightedSum(program.run(x));
  const values = (...x: Tensor[]) => [program.run(x), grad(loss)(x)];
  const looped = (...x: Tensor[]) =>
    scan(
      (s: Tensor, v: Tensor): [Tensor, Tensor] => [s.add(loss(x.map((y) => y.mul(v))).mul(s.cos())), s],
      x[0].mul(0).sum(),
      tensor(Float64Array.of(1, 0.9)),
    )[0];
  const descent = (...x: Tensor[]) => grad((y: Tensor[]) => looped(...y))(x);
  const mapped = (...x: Tensor[]) =>
    vmap((s: Tensor) => grad(loss)(x.map((y) => y.mul(s))))(tensor(Float64Array.of(1, 0.9, 0.8)));
  for (const small of limits) {
    for (const [name, f] of Object.entries({ values, descent, mapped })) {
      const error = disagreement(f, program.inputs, { small });
      worst = Math.max(worst, error);
      if (error <= 1e-12) continue;
      failed++;
      console.log(`program ${seed}, ${name}, limit ${small}: differs by ${error}: ${program.steps.join(" ")}`);
    }
  }
  const narrow = program.inputs.map((x) => cast(x, "float32"));
  if (disagreement((...x) => program.run(x), narrow) > 1e-4) {
    failed++;
    console.log(`program ${seed} in float32 differs: ${program.steps.join(" ")}`);
  }
}
console.log(`${count} programs, ${failed} of ${count * (3 * limits.length + 1)} differ; float64 by at most ${worst}`);
process.exitCode = failed > 0 ? 1 : 0;

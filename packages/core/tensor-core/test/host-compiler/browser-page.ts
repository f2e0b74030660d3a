// What browser.test.ts opens: compares compiled with eager code and posts what it found.
import { primitiveCases, randomProgram, Source, sample } from "../../src/conformance/index.js";
import { bind, cast, grad, jit, jitSync, type Tensor } from "../../src/index.js";
import { weightedSum } from "../properties/finite-differences.js";
import { difference } from "./agreement.js";

/** What the page's policy kept from running, which its owner would be told of. */
const blocked: string[] = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) => blocked.push(violatedDirective));

/** The largest differences of all primitives, compiled and eager, in float64 and in float32. */
function primitives(): { wide: number; narrow: number } {
  const worst = { wide: 0, narrow: 0 };
  primitiveCases.forEach(({ primitive, params, inputs: specs, prepare }, i) => {
    const drawn = specs.map((spec) => sample(spec, new Source(100 + i)));
    const inputs = prepare ? prepare(drawn) : drawn;
    const narrowed = inputs.map((x) => (x.dtype === "float64" ? cast(x, "float32") : x));
    const f = (...x: Tensor[]) => bind(primitive, x, params);
    worst.wide = Math.max(worst.wide, difference(jitSync(f)(...inputs), f(...inputs)));
    worst.narrow = Math.max(worst.narrow, difference(jitSync(f)(...narrowed), f(...narrowed)));
  });
  return worst;
}

async function check(): Promise<unknown> {
  let worst = 0;
  let described = "";
  for (let seed = 0; seed < 25; seed++) {
    const program = randomProgram(new Source(300 + seed), 4 + (seed % 10));
    const loss = (x: Tensor[]) => weightedSum(program.run(x));
    const f = (...x: Tensor[]) => [...program.run(x), ...(grad(loss)(x) as Tensor[])];
    const expected = f(...program.inputs);
    const sync = jitSync(f);
    worst = Math.max(worst, difference(sync(...program.inputs), expected));
    worst = Math.max(worst, difference(await jit(f)(...program.inputs), expected));
    described = String(sync.program(...program.inputs)).split("\n")[0];
  }
  // Violations are told of in a task of their own.
  await new Promise((resolve) => setTimeout(resolve));
  return { worst, described, blocked, ...primitives() };
}

check().then(
  (found) => fetch("/result", { method: "POST", body: JSON.stringify(found) }),
  (error) => fetch("/result", { method: "POST", body: JSON.stringify({ error: String(error.stack) }) }),
);

// What browser.test.ts opens: compares compiled with eager code and posts what it found.
import { randomProgram, Source } from "../../src/conformance/index.js";
import { grad, jit, jitSync, type Tensor } from "../../src/index.js";
import { weightedSum } from "../properties/finite-differences.js";
import { difference } from "./agreement.js";

/** What the page's policy kept from running, which its owner would be told of. */
const blocked: string[] = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) => blocked.push(violatedDirective));

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
  return { worst, described, blocked };
}

check().then(
  (found) => fetch("/result", { method: "POST", body: JSON.stringify(found) }),
  (error) => fetch("/result", { method: "POST", body: JSON.stringify({ error: String(error.stack) }) }),
);

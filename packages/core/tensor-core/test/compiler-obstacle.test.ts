import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { hostCompilerObstacle } from "../src/index.js";

it("nothing keeps the compiler from working here", async () => {
  expect(await hostCompilerObstacle()).toBeUndefined();
});

it("an engine without WebAssembly is told, and functions run all the same", () => {
  const register = new URL("../../../../tooling/typescript/register.mjs", import.meta.url).href;
  const source = new URL("../src/index.ts", import.meta.url).href;
  const program = `
    delete globalThis.WebAssembly;
    const { hostCompilerObstacle, jitSync, mul, tensor } = await import(${JSON.stringify(source)});
    const square = jitSync((x) => mul(x, x));
    const x = tensor([1, 2, 3]);
    console.log(await hostCompilerObstacle());
    console.log(square(x).toArray().join());
    console.log(String(square.program(x)).split("\\n")[0]);
  `;
  const words = ["--conditions=@offprint/source", `--import=${register}`, "--no-warnings", "--input-type=module"];
  const root = fileURLToPath(new URL("../../../..", import.meta.url));
  const said = execFileSync(process.execPath, [...words, "--eval", program], { cwd: root, encoding: "utf8" });
  expect(said.trim().split("\n")).toEqual([
    "this engine has no WebAssembly",
    "1,4,9",
    "carried out operation by operation: this engine has no WebAssembly",
  ]);
});

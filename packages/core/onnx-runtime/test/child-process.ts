import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a child process ended, and what it wrote. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

const here = fileURLToPath(new URL("..", import.meta.url));
const typescript = new URL("../../../../tooling/typescript/register.mjs", import.meta.url).href;

/** Runs module code in a process of its own, which can import the packages from their sources by name. */
export function child(
  code: string,
  { flags = [] as string[], env = {} as NodeJS.ProcessEnv } = {},
): Promise<ChildResult> {
  const args = [
    "--conditions=@offprint/source",
    "--import",
    typescript,
    ...flags,
    "--input-type=module",
    "--eval",
    code,
  ];
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, args, { cwd: here, env: { ...process.env, NODE_OPTIONS: "", ...env } });
    let out = "";
    let err = "";
    process_.stdout.on("data", (chunk) => {
      out += chunk;
    });
    process_.stderr.on("data", (chunk) => {
      err += chunk;
    });
    process_.on("error", reject);
    process_.on("close", (exitCode, signal) => resolve({ code: exitCode, signal, out, err }));
  });
}

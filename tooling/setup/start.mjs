// `npm start`: sets up, builds and runs the `offprint` command.
// Without arguments it does the main job: list the methods, then reproduce a paper's claims with a report.
// `npm start -- docs` builds and serves the documentation site instead.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, buildSite, quietEnvironment, root, SetupError, setUp } from "./setup.mjs";

const mainJob = [["list"], ["reproduce", "diffgrad", "--report", "offprint-report"]];

/**
 * Runs a script of an app.
 *
 * @param {string} script
 * @param {string[]} args
 * @returns {number} exit code
 */
function runApp(script, args) {
  const result = spawnSync(process.execPath, [join(root, "apps", script), ...args], {
    // File names on the command line are meant from where the user stands, also with `npm --prefix`.
    cwd: process.env.INIT_CWD ?? root,
    env: quietEnvironment,
    stdio: "inherit",
  });
  if (result.error) throw new SetupError(`apps/${script} could not be started: ${result.error.message}.`);
  return result.status ?? 1;
}

try {
  setUp();
  const args = process.argv.slice(2);
  if (args[0] === "docs") {
    buildSite();
    process.exitCode = runApp("docs/serve.mjs", args.slice(1));
  } else {
    build(["offprint"]);
    for (const job of args.length > 0 ? [args] : mainJob) {
      process.exitCode = runApp("cli/dist/bin.js", job);
      if (process.exitCode !== 0) break;
    }
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

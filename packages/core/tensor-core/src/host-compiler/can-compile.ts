import { FunctionWriter } from "./function-writer.js";
import { ModuleWriter } from "./module-writer.js";

let obstacle: string | undefined;
let known = false;

/**
 * What keeps modules with vectors from being compiled here, since engines may lack them and a page's policy may forbid
 * compiling; undefined where nothing does.
 */
export function whyNotCompiling(): string | undefined {
  if (!known) obstacle = findObstacle();
  known = true;
  return obstacle;
}

function findObstacle(): string | undefined {
  if (typeof WebAssembly === "undefined") return "this engine has no WebAssembly";
  const empty = new ModuleWriter();
  empty.add(new FunctionWriter([], []));
  const refused = refusal(empty);
  if (refused !== undefined) return `compiling is forbidden here, in pages by their policy: ${refused}`;
  const vectors = new ModuleWriter();
  const w = new FunctionWriter([], []);
  w.vector("f64x2", 0);
  w.op("drop");
  vectors.add(w);
  return refusal(vectors) === undefined ? undefined : "this engine's WebAssembly has no vectors";
}

function refusal(module: ModuleWriter): string | undefined {
  try {
    new WebAssembly.Module(module.encode());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

// What the compiler says to someone who installed tensor-core from npm: tensors are typed, with no package of types
// beside it and with the declarations of libraries checked too.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const program = `import { cast, customVjp, grad, jit, jitSync, jvp, matmul, mul, sum, trace, tree, valueAndGrad, vjp, vmap } from "@offprint/tensor-core";
import { type Graph, type Tensor, type TensorLike, tensor } from "@offprint/tensor-core";

const x: Tensor = tensor([[1, 2], [3, 4]]);
const view = x.ndarray();
const column: number = view.get(0, 1);
export const fine: Tensor[] = [matmul(x, [1, 2]), sum(view, 1), cast(column, "float64"), grad((w: Tensor) => sum(w))(x)];
export const like: TensorLike[] = [1, [true], new Float64Array(2), x, view];

interface Line { readonly slope: Tensor; readonly bias: Tensor }
const line: Line = { slope: x, bias: x };
const loss = (p: Line, at: Tensor) => sum(mul(p.slope, at).add(p.bias));
export const gradient: Line = grad(loss)(line, x);
export const both: [Tensor, [Line, Tensor]] = valueAndGrad(loss, { argument: [0, 1] })(line, x);
const counting = (p: Line) => [sum(p.slope), { hits: 3 }] as const;
export const extra: number = grad(counting, { hasAux: true })(line)[1].hits;
export const untyped: Tensor = grad((w) => sum(w.mul(2)))(x);
export const ofNumbers: Tensor = grad((w: TensorLike) => mul(w, w))(3);
export const perExample: Line = vmap(grad(loss), { inAxes: [null, 0] })(line, x);
export const promised: Promise<Line> = jit(grad(loss))(line, x);
export const atOnce: [Tensor, Line] = jitSync(valueAndGrad(loss))(line, x);
export const pulled: [Line, Tensor] = vjp(loss, line, x)[1](x);
export const along: [Tensor, Tensor] = jvp(loss, [line, x], [line, x]);
export const doubled: Line = tree.map((w) => w.mul(2), line);
export const graph: Graph = trace(grad(loss), line, { shape: [2, 2], dtype: "float32" });
export const kept: (a: Tensor) => Tensor = customVjp((a: Tensor) => mul(a, a), (a) => [mul(a, a), [a, 2]], ([a, k], g) => [mul(mul(a, k), g)]);
export const step = <P>(of: (params: P) => Tensor, params: P): P => grad(of)(params);

// @ts-expect-error neither a tensor nor what can become one
matmul({ foo: 1 }, x);
// @ts-expect-error texts are no tensors
matmul(x, "hello");
// @ts-expect-error an option that does not exist
sum(x, { keepdims: true });
// @ts-expect-error a dtype that does not exist
cast(x, "float16");
// @ts-expect-error what is read back is of no known type until one says so
tree.fromJson("{}").w.data();
// @ts-expect-error a tree that the function does not take
grad(loss)({ slope: x }, x);
// @ts-expect-error the gradient is a tree like the parameters
grad(loss)(line, x).weight;
// @ts-expect-error the second argument is missing
jit(loss)(line);
// @ts-expect-error a compiled function promises
jit(loss)(line, x).item();
// @ts-expect-error an option that does not exist
jit(loss, { backened: undefined });
// @ts-expect-error a tree is no tensor
vmap((w) => w.mul(2))(line);
// @ts-expect-error the cotangent is like the result
vjp(loss, line, x)[1](line);
`;

const compilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: false,
  types: [],
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  module: "NodeNext",
};

/**
 * What the compiler finds in a program that uses a packed tensor-core, rightly and wrongly.
 *
 * @param {string} root of the repository
 * @param {string} tarball of tensor-core
 * @param {string} folder an empty folder of its own
 * @returns {string[]}
 */
export function consumerProblems(root, tarball, folder) {
  const installed = join(folder, "node_modules", "@offprint", "tensor-core");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  const fromSources = createRequire(join(root, "packages", "core", "tensor-core", "package.json"));
  for (const dependency of ["ndarray", "pure-rand"]) {
    symlinkSync(dirname(fromSources.resolve(`${dependency}/package.json`)), join(folder, "node_modules", dependency));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(folder, "program.ts"), program);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const tsc = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    encoding: "utf8",
  });
  if (status === 0) return [];
  return stdout
    .trim()
    .split("\n")
    .map((line) => `for users of the packed package: ${line}`);
}

// What the compiler makes of your code
// A training step as the graph that was traced, and as the program that it is compiled to: which operations share a loop, how many elements a turn does, and where in one memory everything lies. Change the sizes or the loss; below 16 elements no loop is left.

import {
  add,
  grad,
  jitSync,
  matmul,
  mul,
  random,
  square,
  sub,
  sum,
  tanh,
  trace,
  tree,
  zeros,
} from "@offprint/tensor-core";

const [batch, inputs, hidden, outputs] = [32, 8, 24, 3];
const rng = random.rng(0);
const params = {
  w1: rng.normal([inputs, hidden], { std: 0.3 }),
  b1: zeros([hidden]),
  w2: rng.normal([hidden, outputs], { std: 0.3 }),
};

function loss(p, x, y) {
  const h = tanh(add(matmul(x, p.w1), p.b1));
  return sum(square(sub(matmul(h, p.w2), y)));
}

function step(p, x, y) {
  return tree.map((w, g) => sub(w, mul(g, 0.01)), p, grad(loss)(p, x, y));
}

const [x, y] = [rng.normal([batch, inputs]), rng.normal([batch, outputs])];
const compiled = jitSync(step);

console.log(`${trace(step, params, x, y).equations.length} operations were traced. They became:`);
console.log(String(compiled.program(params, x, y)));

/** Microseconds of a call. */
function timed(f, calls) {
  f(params, x, y);
  const began = performance.now();
  for (let i = 0; i < calls; i++) f(params, x, y);
  return ((performance.now() - began) * 1000) / calls;
}

console.table([
  { how: "operation by operation", microseconds: Math.round(timed(step, 50)) },
  { how: "compiled", microseconds: Math.round(timed(compiled, 2000)) },
]);

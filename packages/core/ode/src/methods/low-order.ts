import type { Tableau } from "./tableau.js";

/** Order 3(2), four stages. @see Bogacki, Shampine, Appl. Math. Lett. 2 (1989) 321. */
export const bogackiShampine: Tableau = {
  name: "bogackiShampine",
  order: 3,
  nodes: [0, 1 / 2, 3 / 4],
  stages: [[1 / 2], [0, 3 / 4]],
  weights: [2 / 9, 1 / 3, 4 / 9],
  error: [-5 / 72, 1 / 12, 1 / 9, -1 / 8],
  stabilitySize: 2.5127,
};

/** Order 2(1): Heun's method with Euler's inside it. */
export const heunEuler: Tableau = {
  name: "heunEuler",
  order: 2,
  nodes: [0, 1],
  stages: [[1]],
  weights: [1 / 2, 1 / 2],
  error: [-1 / 2, 1 / 2, 0],
  stiffnessStage: 1,
  stabilitySize: 2,
};

/** Euler's method: order 1, fixed steps. */
export const euler: Tableau = { name: "euler", order: 1, nodes: [0], stages: [], weights: [1], stabilitySize: 2 };

/** The midpoint method: order 2, fixed steps. */
export const midpoint: Tableau = {
  name: "midpoint",
  order: 2,
  nodes: [0, 1 / 2],
  stages: [[1 / 2]],
  weights: [0, 1],
  stabilitySize: 2,
};

/** The classical method of Runge and Kutta: order 4, fixed steps. */
export const rk4: Tableau = {
  name: "rk4",
  order: 4,
  nodes: [0, 1 / 2, 1 / 2, 1],
  stages: [[1 / 2], [0, 1 / 2], [0, 0, 1]],
  weights: [1 / 6, 1 / 3, 1 / 3, 1 / 6],
  stiffnessStage: 3,
  stabilitySize: 2.7853,
};

import { dop853 } from "./dop853.js";
import { dopri5 } from "./dopri5.js";
import { explicitRungeKutta } from "./explicit-runge-kutta.js";
import { bogackiShampine, euler, heunEuler, midpoint, rk4 } from "./low-order.js";
import { rodas4 } from "./rodas4.js";
import { tsit5 } from "./tsit5.js";

/** The numbers of the explicit methods, by name. */
export const tableaus = { tsit5, dopri5, bogackiShampine, heunEuler, euler, midpoint, rk4 } as const;

/** The methods, by name. */
export const methods = {
  tsit5: explicitRungeKutta(tsit5),
  dopri5: explicitRungeKutta(dopri5),
  bogackiShampine: explicitRungeKutta(bogackiShampine),
  heunEuler: explicitRungeKutta(heunEuler),
  dop853,
  rodas4,
  euler: explicitRungeKutta(euler),
  midpoint: explicitRungeKutta(midpoint),
  rk4: explicitRungeKutta(rk4),
} as const;

/** The name of a method. */
export type MethodName = keyof typeof methods;

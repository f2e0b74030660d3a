import type { ErrorData } from "../errors.js";

/** A function of a module. */
export interface Target {
  readonly module: string;
  readonly name: string;
}

/** What is asked of a thread; each is answered once. */
export type Question =
  | { readonly kind: "run"; readonly target: Target; readonly args: Uint8Array; readonly seed: string }
  | { readonly kind: "join"; readonly target: Target; readonly initial: Uint8Array; readonly seed: string }
  | { readonly kind: "round"; readonly round: number; readonly args: Uint8Array; readonly seed: string };

/** What a thread is told. */
export type ToThread =
  | { readonly kind: "start"; readonly worker: string; readonly flag?: SharedArrayBuffer }
  | { readonly kind: "ask"; readonly call: number; readonly question: Question }
  | { readonly kind: "abort"; readonly call: number }
  | { readonly kind: "share"; readonly frame: Uint8Array }
  | { readonly kind: "ref"; readonly ref: string; readonly frame?: Uint8Array; readonly problem?: string };

/** What a thread tells. */
export type FromThread =
  | { readonly kind: "value"; readonly call: number; readonly frame: Uint8Array }
  | { readonly kind: "failed"; readonly call: number; readonly error: ErrorData }
  | { readonly kind: "progress"; readonly call: number; readonly frame: Uint8Array }
  | { readonly kind: "need"; readonly ref: string };

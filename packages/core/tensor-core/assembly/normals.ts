/* Standard normal numbers: src/random/normal.ts, elementary.ts, source.ts and seeding.ts bit for bit. */

const LAYERS: i32 = 128;
const TAIL: f64 = 3.442619855899;

/** The state of xoroshiro128+. */
let s0: u64 = 0;
let s1: u64 = 0;
let edges: usize = 0;

// @ts-ignore: decorator
@inline
function mix(word: u32): u32 {
  let x = word;
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}

// @ts-ignore: decorator
@inline
function word(): u32 {
  const out = <u32>(s0 + s1);
  const a = s0 ^ s1;
  s0 = rotl<u64>(s0, 24) ^ a ^ (a << 16);
  s1 = rotl<u64>(a, 37);
  return mix(out);
}

function uniform(): f64 {
  const high = word() >> 5;
  const low = word() >> 6;
  return (<f64>high * 67108864 + <f64>low) * 1.1102230246251565e-16;
}

function exponential(): f64 {
  const high = word() >> 6;
  const low = word() >> 6;
  return -log((<f64>high * 67108864 + <f64>low + 0.5) * 2.220446049250313e-16);
}

/** log of a normal number in (0, 1). */
function log(x: f64): f64 {
  const all = reinterpret<u64>(x);
  let exponent = <f64>(<i32>(all >> 52) - 1023);
  let mantissa = reinterpret<f64>((all & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent += 1;
  }
  const f = mantissa - 1;
  const s = f / (2 + f);
  const z = s * s;
  const series =
    z *
    (1.0 / 3.0 +
      z *
        (1.0 / 5.0 +
          z *
            (1.0 / 7.0 +
              z *
                (1.0 / 9.0 +
                  z *
                    (1.0 / 11.0 +
                      z * (1.0 / 13.0 + z * (1.0 / 15.0 + z * (1.0 / 17.0 + z * (1.0 / 19.0)))))))));
  return exponent * 0.6931471803691238 + (2 * s + (2 * s * series + exponent * 1.9082149292705877e-10));
}

/** exp of a number of ordinary size: what the ziggurat asks for lies within 7 of 0. */
function exp(x: f64): f64 {
  const scaled = x * 1.4426950408889634;
  let k = floor(scaled);
  if (scaled - k >= 0.5) k += 1;
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  const tail =
    1.0 / 40320.0 +
    r *
      (1.0 / 362880.0 +
        r * (1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0)))));
  const y =
    1 +
    r *
      (1 +
        r *
          (0.5 +
            r *
              (1.0 / 6.0 +
                r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0 + r * tail)))))));
  return y * reinterpret<f64>((<u64>(<i64>k + 1023)) << 52);
}

function tail(): f64 {
  while (true) {
    const x = exponential() / TAIL;
    if (2 * exponential() > x * x) return TAIL + x;
  }
}

// @ts-ignore: decorator
@inline
function edge(layer: u32): f64 {
  return load<f64>(edges + (<usize>layer << 3));
}

/** A number that does not surely lie under the curve, or NaN where it does not. */
function border(u: f64, layer: u32): f64 {
  if (layer == 0) return u < 0 ? -tail() : tail();
  const x = u * edge(layer);
  const outer = exp(-0.5 * (edge(layer) * edge(layer) - x * x));
  const inner = exp(-0.5 * (edge(layer + 1) * edge(layer + 1) - x * x));
  return inner + uniform() * (outer - inner) < 1 ? x : NaN;
}

/**
 * Writes `n` numbers to `out` and moves the generator, whose four words are at `state`, on. `tables` holds the 129 edges
 * of the layers and the 128 fractions of them that surely lie under the curve.
 */
export function normals(state: usize, tables: usize, out: usize, n: i32): void {
  edges = tables;
  const inside = tables + ((<usize>LAYERS + 1) << 3);
  // The high word of each half comes first. The state stays in locals: globals are memory.
  let a = rotl<u64>(load<u64>(state), 32);
  let b = rotl<u64>(load<u64>(state, 8), 32);
  for (const end = out + (<usize>n << 3); out < end; out += 8) {
    while (true) {
      const high = <i32>mix(<u32>(a + b));
      let c = a ^ b;
      a = rotl<u64>(a, 24) ^ c ^ (c << 16);
      b = rotl<u64>(c, 37);
      const low = mix(<u32>(a + b));
      c = a ^ b;
      a = rotl<u64>(a, 24) ^ c ^ (c << 16);
      b = rotl<u64>(c, 37);
      const layer = low & (LAYERS - 1);
      const u = (<f64>high + (<f64>(low >> 12) + 0.5) * 9.5367431640625e-7) * 4.656612873077393e-10;
      let x = u * load<f64>(tables + (<usize>layer << 3));
      if (abs(u) >= load<f64>(inside + (<usize>layer << 3))) {
        s0 = a;
        s1 = b;
        x = border(u, layer);
        a = s0;
        b = s1;
      }
      if (x == x) {
        store<f64>(out, x);
        break;
      }
    }
  }
  store<u64>(state, rotl<u64>(a, 32));
  store<u64>(state, rotl<u64>(b, 32), 8);
}

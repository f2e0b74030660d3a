/* Standard normal numbers: src/random/normal.ts, elementary.ts, source.ts and seeding.ts bit for bit. */

const LAYERS: i32 = 128;
const TAIL: f64 = 3.442619855899;

/**
 * Bytes that words are drawn ahead of their use. The next word waits for the one before and the numbers made of them do
 * not: the processor does both at once. Nearer, a load of a pair would wait for its two stores.
 */
const AHEAD: usize = 512;

/*
 * Constants of the loop over numbers, each in both lanes: in memory, since an engine makes anew at every use, in three
 * instructions, what stands in the code of a loop with a test at its head.
 */
const FIRST_FACTOR: usize = memory.data<u32>([0x7feb352d, 0x7feb352d, 0x7feb352d, 0x7feb352d], 16);
const SECOND_FACTOR: usize = memory.data<u32>([0x846ca68b, 0x846ca68b, 0x846ca68b, 0x846ca68b], 16);
/** The bits of 1.5 2^52, and the number. */
const WHOLE: usize = memory.data<f64>([6755399441055744, 6755399441055744], 16);
const HALF: usize = memory.data<f64>([0.5, 0.5], 16);
const UNIT: usize = memory.data<f64>([4.440892098500626e-16, 4.440892098500626e-16], 16);
const LAYER: usize = memory.data<u64>([127, 127], 16);
const MAGNITUDE: usize = memory.data<u64>([0x7fffffffffffffff, 0x7fffffffffffffff], 16);

/** The state of xoroshiro128+. */
let s0: u64 = 0;
let s1: u64 = 0;
/** For each layer its edge, and the fraction of it that surely lies under the curve. */
let layers: usize = 0;
/**
 * The pairs of words that are drawn and not used, not yet mixed: in the places of results that are not yet written. The
 * first of a pair is the upper half of a 64-bit number.
 */
let pairs: usize = 0;
let pairsEnd: usize = 0;
/** The first of the last pair taken from them, mixed, and the second. */
let first: u32 = 0;
let second: u32 = 0;

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

/** `mix` of four words. */
// @ts-ignore: decorator
@inline
function mixed(words: v128): v128 {
  let x = v128.xor(words, i32x4.shr_u(words, 16));
  x = i32x4.mul(x, v128.load(FIRST_FACTOR));
  x = v128.xor(x, i32x4.shr_u(x, 15));
  x = i32x4.mul(x, v128.load(SECOND_FACTOR));
  return v128.xor(x, i32x4.shr_u(x, 16));
}

/** Takes the next pair of words; where all that were drawn are taken, another is drawn in the place of the last. */
function take(): void {
  if (pairs == pairsEnd) {
    pairs -= 8;
    let a = s0, b = s1;
    store<u32>(pairs, <u32>(a + b), 4);
    let c = a ^ b;
    a = rotl<u64>(a, 24) ^ c ^ (c << 16);
    b = rotl<u64>(c, 37);
    store<u32>(pairs, <u32>(a + b));
    c = a ^ b;
    s0 = rotl<u64>(a, 24) ^ c ^ (c << 16);
    s1 = rotl<u64>(c, 37);
  }
  first = mix(load<u32>(pairs, 4));
  second = mix(load<u32>(pairs));
  pairs += 8;
}

function uniform(): f64 {
  take();
  const high = first >> 5;
  const low = second >> 6;
  return (<f64>high * 67108864 + <f64>low) * 1.1102230246251565e-16;
}

function exponential(): f64 {
  take();
  const high = first >> 6;
  const low = second >> 6;
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
  const below = floor(scaled);
  // No branch: it could not be guessed.
  const k = below + <f64>(<i32>(scaled - below >= 0.5));
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

/** exp to within 3e-4 where |x| <= 0.74, which is as far as a layer's edges are apart: in a sixth of the time. */
// @ts-ignore: decorator
@inline
function nearExp(x: f64): f64 {
  const x2 = x * x;
  return 1 + x + x2 * (0.5 + x * (1.0 / 6.0) + x2 * (1.0 / 24.0 + x * (1.0 / 120.0)));
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
  return load<f64>(layers + (<usize>layer << 4));
}

/** Writes a number to `out` that does not surely lie under the curve; where it does not, the next takes its place. */
// @ts-ignore: decorator
@inline
function border(u: f64, layer: u32, out: usize): usize {
  if (layer == 0) {
    store<f64>(out, u < 0 ? -tail() : tail());
    return out + 8;
  }
  const x = u * edge(layer);
  const outer = -0.5 * (edge(layer) * edge(layer) - x * x);
  const inner = -0.5 * (edge(layer + 1) * edge(layer + 1) - x * x);
  const height = uniform();
  const rough = nearExp(inner) + height * (nearExp(outer) - nearExp(inner));
  let under = rough < 1;
  if (abs(rough - 1) < 1e-3) under = exp(inner) + height * (exp(outer) - exp(inner)) < 1;
  store<f64>(out, x);
  // No branch: it could not be guessed.
  return out + (<usize>under << 3);
}

/** Writes the number of the next pair to `out`, or, where it does not lie under the curve, leaves the place to another. */
function next(out: usize): usize {
  take();
  const layer = second & (LAYERS - 1);
  const u = (<f64>(<i32>first) + (<f64>(second >> 12) + 0.5) * 9.5367431640625e-7) * 4.656612873077393e-10;
  if (abs(u) >= load<f64>(layers + (<usize>layer << 4), 8)) return border(u, layer, out);
  store<f64>(out, u * edge(layer));
  return out + 8;
}

/** Numbers that are made at once, in bits: where all of them surely lie under the curve. */
const ALL: i32 = 15;
/** The bytes of their pairs, and of themselves. */
const GROUP: usize = 32;

/** The first half of the state that follows (a, b), with c = a ^ b; the second is c turned by 37 bits. */
// @ts-ignore: decorator
@inline
function following(a: u64, c: u64): u64 {
  return rotl<u64>(a, 24) ^ c ^ (c << 16);
}

/** Writes the numbers of a group of pairs to `out`; bit i says whether number i surely lies under the curve. */
// @ts-ignore: decorator
@inline
function group(taken: usize, out: usize, tables: usize): i32 {
  const low = two(taken, out, tables);
  const high = two(taken + 16, out + 16, tables);
  return i32x4.bitmask(v128.shuffle<i32>(low, high, 0, 2, 4, 6));
}

/** Writes the numbers of two pairs to `out`; true in lanes whose number surely lies under the curve. */
// @ts-ignore: decorator
@inline
function two(taken: usize, out: usize, tables: usize): v128 {
  const words = mixed(v128.load(taken));
  const at = i64x2.shl(v128.and(words, v128.load(LAYER)), 4);
  const layer0 = v128.load(tables + <usize>i32x4.extract_lane(at, 0));
  const layer1 = v128.load(tables + <usize>i32x4.extract_lane(at, 2));
  // The upper 52 bits as a whole number k below 2^51 in magnitude, in the bits of 1.5 2^52 + k; u = (k + 1/2) / 2^51.
  const shifted = v128.xor(i64x2.shr_u(words, 12), v128.load(WHOLE));
  const k = f64x2.sub(shifted, v128.load(WHOLE));
  const u = f64x2.mul(f64x2.add(k, v128.load(HALF)), v128.load(UNIT));
  v128.store(out, f64x2.mul(u, v128.shuffle<i64>(layer0, layer1, 0, 2)));
  return f64x2.lt(v128.and(u, v128.load(MAGNITUDE)), v128.shuffle<i64>(layer0, layer1, 1, 3));
}

/**
 * Writes `n` numbers to `out` and moves the generator, whose four words are at `state`, on. `tables` holds for each of
 * the 128 layers its edge and the fraction of it that surely lies under the curve, and one more edge, which is 0.
 */
export function normals(state: usize, tables: usize, out: usize, n: i32): void {
  layers = tables;
  const end = out + (<usize>n << 3);
  // The high word of each half comes first. What changes with every number stays in locals: globals are memory.
  let a = rotl<u64>(load<u64>(state), 32);
  let b = rotl<u64>(load<u64>(state, 8), 32);
  let c: u64 = 0;
  let taken = end;
  let drawn = end;
  while (out < end) {
    if (taken == end) {
      // Pairs lie in the places that are still to be written. Each number takes one at least: none is drawn in vain. A
      // group is written before it is known which of it are numbers, and must not meet pairs.
      taken = end - out < 2 * GROUP ? out : out + GROUP;
      drawn = taken;
    }
    if (drawn == taken) {
      for (const ahead = min<usize>(taken + AHEAD, end); drawn < ahead; drawn += 8) {
        store<u32>(drawn, <u32>(a + b), 4);
        c = a ^ b;
        a = following(a, c);
        b = rotl<u64>(c, 37);
        store<u32>(drawn, <u32>(a + b));
        c = a ^ b;
        a = following(a, c);
        b = rotl<u64>(c, 37);
      }
    }
    if (taken - out >= GROUP && drawn - taken >= GROUP) {
      let sure: i32;
      do {
        sure = group(taken, out, tables);
        // Before it is known whether all are numbers: what a processor does on a wrong guess is lost. In a loop, as an
        // engine would keep what is drawn in a row in memory.
        for (const ahead = min<usize>(drawn + GROUP, end); drawn < ahead; drawn += 8) {
          store<u32>(drawn, <u32>(a + b), 4);
          c = a ^ b;
          a = following(a, c);
          b = rotl<u64>(c, 37);
          store<u32>(drawn, <u32>(a + b));
          c = a ^ b;
          a = following(a, c);
          b = rotl<u64>(c, 37);
        }
        if (sure != ALL) break;
        taken += GROUP;
        out += GROUP;
      } while (drawn - taken >= GROUP);
      if (sure != ALL) {
        const before = <usize>ctz<i32>(~sure) << 3;
        taken += before;
        out += before;
      } else if (taken == end) continue;
    }
    s0 = a;
    s1 = b;
    pairs = taken;
    pairsEnd = drawn;
    out = next(out);
    a = s0;
    b = s1;
    taken = pairs;
  }
  store<u64>(state, rotl<u64>(a, 32));
  store<u64>(state, rotl<u64>(b, 32), 8);
}

/** Rounds `n` float64 to float32, which take the first half of their place; two at a time. */
export function narrow(values: usize, n: i32): void {
  let to = values;
  for (const end = values + (<usize>n << 3); values < end; values += 16) {
    v128.store64_lane(to, f32x4.demote_f64x2_zero(v128.load(values)), 0);
    to += 8;
  }
}

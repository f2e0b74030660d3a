/** Families of instructions with consecutive opcodes: the first opcode, the prefix, the names. */
const families: readonly (readonly [first: number, prefix: string, names: string])[] = [
  [0x45, "i32.", "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"],
  [0x5b, "f32.", "eq ne lt gt le ge"],
  [0x61, "f64.", "eq ne lt gt le ge"],
  [0x67, "i32.", "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u"],
  [0x8b, "f32.", "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"],
  [0x99, "f64.", "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"],
  [0xa7, "i32.", "wrap_i64"],
  [0xb2, "f32.", "convert_i32_s convert_i32_u"],
  [0xb6, "f32.", "demote_f64"],
  [0xb7, "f64.", "convert_i32_s convert_i32_u"],
  [0xbb, "f64.", "promote_f32"],
];

/** The same for instructions behind the prefix 0xfd, on vectors of 128 bits. */
const vectorFamilies: typeof families = [
  [0x11, "", "i32x4.splat i64x2.splat f32x4.splat f64x2.splat"],
  [0x37, "i32x4.", "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"],
  [0x41, "f32x4.", "eq ne lt gt le ge"],
  [0x47, "f64x2.", "eq ne lt gt le ge"],
  [0x4d, "v128.", "not and andnot or xor bitselect any_true"],
  [0x5e, "", "f32x4.demote_f64x2_zero f64x2.promote_low_f32x4"],
  [0x67, "f32x4.", "ceil floor trunc nearest"],
  [0x74, "f64x2.", "ceil floor"],
  [0x89, "i16x8.", "extend_low_i8x16_u"],
  [0x94, "f64x2.", "nearest"],
  [0xa0, "i32x4.", "abs neg"],
  [0xa9, "i32x4.", "extend_low_i16x8_u"],
  [0xab, "i32x4.", "shl shr_s shr_u add"],
  [0xb1, "i32x4.", "sub"],
  [0xb5, "i32x4.", "mul min_s min_u max_s max_u"],
  [0xc0, "i64x2.", "abs neg"],
  [0xc9, "i64x2.", "extend_low_i32x4_u"],
  [0xcb, "i64x2.", "shl shr_s shr_u add"],
  [0xd1, "i64x2.", "sub"],
  [0xd6, "i64x2.", "eq ne"],
  [0xe0, "f32x4.", "abs neg"],
  [0xe3, "f32x4.", "sqrt add sub mul div min max pmin pmax"],
  [0xec, "f64x2.", "abs neg"],
  [0xef, "f64x2.", "sqrt add sub mul div min max pmin pmax"],
  [0xfa, "f32x4.", "convert_i32x4_s"],
];

/** Marks opcodes behind the prefix 0xfd. */
export const VECTOR = 0x10000;

/** Opcodes without immediates by their names in the WebAssembly text format. */
export const opcodes: ReadonlyMap<string, number> = new Map([
  ["drop", 0x1a],
  ["select", 0x1b],
  ["unreachable", 0x00],
  ...families.flatMap(([first, prefix, names]) => enumerate(first, prefix, names)),
  ...vectorFamilies.flatMap(([first, prefix, names]) => enumerate(VECTOR + first, prefix, names)),
]);

function enumerate(first: number, prefix: string, names: string): [string, number][] {
  return names.split(" ").map((name, i) => [prefix + name, first + i]);
}

/** Loads and stores, which take an offset: opcode and the logarithm of their alignment. */
export const accesses: Readonly<Record<string, readonly [opcode: number, alignment: number]>> = {
  "i32.load": [0x28, 2],
  "f32.load": [0x2a, 2],
  "f64.load": [0x2b, 3],
  "i32.load8_u": [0x2d, 0],
  "i32.store": [0x36, 2],
  "f32.store": [0x38, 2],
  "f64.store": [0x39, 3],
  "i32.store8": [0x3a, 0],
  "v128.load": [VECTOR + 0x00, 2],
  "v128.load16_splat": [VECTOR + 0x08, 0],
  "v128.load32_splat": [VECTOR + 0x09, 2],
  "v128.load64_splat": [VECTOR + 0x0a, 3],
  "v128.store": [VECTOR + 0x0b, 2],
  "v128.load32_zero": [VECTOR + 0x5c, 0],
  "v128.load64_zero": [VECTOR + 0x5d, 2],
};

/** Accesses of one lane of a vector. */
export const laneAccesses: Readonly<Record<string, readonly [opcode: number, alignment: number]>> = {
  "v128.load32_lane": [VECTOR + 0x56, 0],
  "v128.load64_lane": [VECTOR + 0x57, 2],
  "v128.store16_lane": [VECTOR + 0x59, 0],
  "v128.store32_lane": [VECTOR + 0x5a, 0],
  "v128.store64_lane": [VECTOR + 0x5b, 2],
};

/** Instructions that name a lane. */
export const laneOpcodes: Readonly<Record<string, number>> = {
  "i32x4.extract_lane": VECTOR + 0x1b,
  "i32x4.replace_lane": VECTOR + 0x1c,
  "f32x4.extract_lane": VECTOR + 0x1f,
  "f32x4.replace_lane": VECTOR + 0x20,
  "f64x2.extract_lane": VECTOR + 0x21,
  "f64x2.replace_lane": VECTOR + 0x22,
};

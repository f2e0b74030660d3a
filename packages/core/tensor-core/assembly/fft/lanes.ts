/*
 * Between arrays [outer, n, inner] and blocks [n, width] of float64. A lane is one sequence of n elements; lane l is the
 * pair (l / inner, l % inner). `T` is the element type of the array.
 */

// @ts-ignore: decorator
@inline
function pair<T>(p: usize): v128 {
  if (sizeof<T>() == 8) return v128.load(p);
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

// @ts-ignore: decorator
@inline
function putPair<T>(p: usize, x: v128): void {
  if (sizeof<T>() == 8) v128.store(p, x);
  else v128.store_lane<u64>(p, f32x4.demote_f64x2_zero(x), 0);
}

/** Copies `count` lanes from `lane` on to the first columns of a block; columns beyond stay as they are. */
export function gather<T>(
  from: usize,
  to: usize,
  lane: i32,
  count: i32,
  n: i32,
  inner: i32,
  width: i32,
): void {
  const size = sizeof<T>();
  const row = <usize>width << 3;
  if (inner == 1) {
    let q = 0;
    for (; q + 1 < count; q += 2) {
      let a = from + <usize>(lane + q) * <usize>n * size;
      let b = a + <usize>n * size;
      let o = to + (<usize>q << 3);
      let k = 0;
      for (; k + 1 < n; k += 2) {
        const x = pair<T>(a);
        const y = pair<T>(b);
        v128.store(o, v128.shuffle<f64>(x, y, 0, 2));
        v128.store(o + row, v128.shuffle<f64>(x, y, 1, 3));
        a += 2 * size;
        b += 2 * size;
        o += 2 * row;
      }
      if (k < n) {
        store<f64>(o, <f64>load<T>(a));
        store<f64>(o + 8, <f64>load<T>(b));
      }
    }
    if (q < count) {
      let a = from + <usize>(lane + q) * <usize>n * size;
      let o = to + (<usize>q << 3);
      for (let k = 0; k < n; k++) {
        store<f64>(o, <f64>load<T>(a));
        a += size;
        o += row;
      }
    }
    return;
  }
  for (let q = 0; q < count; ) {
    const at = (lane + q) / inner;
    const i = lane + q - at * inner;
    const run = min(inner - i, count - q);
    let a = from + (<usize>at * <usize>n * <usize>inner + <usize>i) * size;
    let o = to + (<usize>q << 3);
    for (let k = 0; k < n; k++) {
      let j = 0;
      for (; j + 1 < run; j += 2) v128.store(o + (<usize>j << 3), pair<T>(a + <usize>j * size));
      if (j < run) store<f64>(o + (<usize>j << 3), <f64>load<T>(a + <usize>j * size));
      a += <usize>inner * size;
      o += row;
    }
    q += run;
  }
}

/** Copies the first columns of a block, times `factor`, to `count` lanes of `n` elements from `lane` on. */
export function scatter<T>(
  from: usize,
  to: usize,
  lane: i32,
  count: i32,
  n: i32,
  inner: i32,
  width: i32,
  factor: f64,
): void {
  const size = sizeof<T>();
  const row = <usize>width << 3;
  const times = v128.splat<f64>(factor);
  if (inner == 1) {
    let q = 0;
    for (; q + 1 < count; q += 2) {
      let a = to + <usize>(lane + q) * <usize>n * size;
      let b = a + <usize>n * size;
      let o = from + (<usize>q << 3);
      let k = 0;
      for (; k + 1 < n; k += 2) {
        const x = v128.mul<f64>(v128.load(o), times);
        const y = v128.mul<f64>(v128.load(o + row), times);
        putPair<T>(a, v128.shuffle<f64>(x, y, 0, 2));
        putPair<T>(b, v128.shuffle<f64>(x, y, 1, 3));
        a += 2 * size;
        b += 2 * size;
        o += 2 * row;
      }
      if (k < n) {
        store<T>(a, <T>(factor * load<f64>(o)));
        store<T>(b, <T>(factor * load<f64>(o + 8)));
      }
    }
    if (q < count) {
      let a = to + <usize>(lane + q) * <usize>n * size;
      let o = from + (<usize>q << 3);
      for (let k = 0; k < n; k++) {
        store<T>(a, <T>(factor * load<f64>(o)));
        a += size;
        o += row;
      }
    }
    return;
  }
  for (let q = 0; q < count; ) {
    const at = (lane + q) / inner;
    const i = lane + q - at * inner;
    const run = min(inner - i, count - q);
    let a = to + (<usize>at * <usize>n * <usize>inner + <usize>i) * size;
    let o = from + (<usize>q << 3);
    for (let k = 0; k < n; k++) {
      let j = 0;
      for (; j + 1 < run; j += 2) putPair<T>(a + <usize>j * size, v128.mul<f64>(v128.load(o + (<usize>j << 3)), times));
      if (j < run) store<T>(a + <usize>j * size, <T>(factor * load<f64>(o + (<usize>j << 3))));
      a += <usize>inner * size;
      o += row;
    }
    q += run;
  }
}

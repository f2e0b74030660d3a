/*
 * Passes of Stockham's self-sorting FFT as in src/fft/stages.ts, on two float64 lanes at a time: the input is seen as
 * [radix, rest, stride], the output as [rest, radix, stride], and `stride` is even. Real and imaginary parts lie apart.
 * `twiddles` holds cos and sin of 2 pi j p / (radix rest), for each p those of j = 1, ..., radix - 1.
 */

// @ts-ignore: decorator
@inline
function add(a: v128, b: v128): v128 {
  return v128.add<f64>(a, b);
}

// @ts-ignore: decorator
@inline
function sub(a: v128, b: v128): v128 {
  return v128.sub<f64>(a, b);
}

// @ts-ignore: decorator
@inline
function mul(a: v128, b: v128): v128 {
  return v128.mul<f64>(a, b);
}

// @ts-ignore: decorator
@inline
function splat(p: usize): v128 {
  return v128.load_splat<f64>(p);
}

/** Stores (re, im) times c - i s. */
// @ts-ignore: decorator
@inline
function turned(yr: usize, yi: usize, o: usize, re: v128, im: v128, c: v128, s: v128): void {
  v128.store(yr + o, add(mul(re, c), mul(im, s)));
  v128.store(yi + o, sub(mul(im, c), mul(re, s)));
}

// @ts-ignore: decorator
@inline
function plain(yr: usize, yi: usize, o: usize, re: v128, im: v128): void {
  v128.store(yr + o, re);
  v128.store(yi + o, im);
}

export function radix2(rest: i32, stride: i32, twiddles: usize, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const width = <usize>stride << 3;
  const half = <usize>rest * width;
  for (let p = 0; p < rest; p++) {
    const c = splat(twiddles);
    const s = splat(twiddles + 8);
    twiddles += 16;
    const from = <usize>p * width;
    const to = 2 * from;
    for (let q: usize = 0; q < width; q += 16) {
      const a = from + q;
      const b = a + half;
      const ar = v128.load(xr + a);
      const ai = v128.load(xi + a);
      const br = v128.load(xr + b);
      const bi = v128.load(xi + b);
      plain(yr, yi, to + q, add(ar, br), add(ai, bi));
      turned(yr, yi, to + width + q, sub(ar, br), sub(ai, bi), c, s);
    }
  }
}

export function radix3(rest: i32, stride: i32, twiddles: usize, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const width = <usize>stride << 3;
  const block = <usize>rest * width;
  const sine = v128.splat<f64>(0.8660254037844386);
  const half = v128.splat<f64>(0.5);
  for (let p = 0; p < rest; p++) {
    const c1 = splat(twiddles);
    const s1 = splat(twiddles + 8);
    const c2 = splat(twiddles + 16);
    const s2 = splat(twiddles + 24);
    twiddles += 32;
    const from = <usize>p * width;
    const to = 3 * from;
    for (let q: usize = 0; q < width; q += 16) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const ar = v128.load(xr + a);
      const ai = v128.load(xi + a);
      const sumR = add(v128.load(xr + b), v128.load(xr + c));
      const sumI = add(v128.load(xi + b), v128.load(xi + c));
      const midR = sub(ar, mul(half, sumR));
      const midI = sub(ai, mul(half, sumI));
      const turnR = mul(sine, sub(v128.load(xi + b), v128.load(xi + c)));
      const turnI = mul(sine, sub(v128.load(xr + c), v128.load(xr + b)));
      const o = to + q;
      plain(yr, yi, o, add(ar, sumR), add(ai, sumI));
      turned(yr, yi, o + width, add(midR, turnR), add(midI, turnI), c1, s1);
      turned(yr, yi, o + 2 * width, sub(midR, turnR), sub(midI, turnI), c2, s2);
    }
  }
}

export function radix4(rest: i32, stride: i32, twiddles: usize, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const width = <usize>stride << 3;
  const block = <usize>rest * width;
  for (let p = 0; p < rest; p++) {
    const c1 = splat(twiddles);
    const s1 = splat(twiddles + 8);
    const c2 = splat(twiddles + 16);
    const s2 = splat(twiddles + 24);
    const c3 = splat(twiddles + 32);
    const s3 = splat(twiddles + 40);
    twiddles += 48;
    const from = <usize>p * width;
    const to = 4 * from;
    for (let q: usize = 0; q < width; q += 16) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const d = c + block;
      const ar = v128.load(xr + a);
      const cr = v128.load(xr + c);
      const ai = v128.load(xi + a);
      const ci = v128.load(xi + c);
      const br = v128.load(xr + b);
      const dr = v128.load(xr + d);
      const bi = v128.load(xi + b);
      const di = v128.load(xi + d);
      const evenR = add(ar, cr);
      const evenI = add(ai, ci);
      const gapR = sub(ar, cr);
      const gapI = sub(ai, ci);
      const oddR = add(br, dr);
      const oddI = add(bi, di);
      const turnR = sub(bi, di); // -i (x_b - x_d)
      const turnI = sub(dr, br);
      const o = to + q;
      plain(yr, yi, o, add(evenR, oddR), add(evenI, oddI));
      if (p == 0) {
        plain(yr, yi, o + width, add(gapR, turnR), add(gapI, turnI));
        plain(yr, yi, o + 2 * width, sub(evenR, oddR), sub(evenI, oddI));
        plain(yr, yi, o + 3 * width, sub(gapR, turnR), sub(gapI, turnI));
      } else {
        turned(yr, yi, o + width, add(gapR, turnR), add(gapI, turnI), c1, s1);
        turned(yr, yi, o + 2 * width, sub(evenR, oddR), sub(evenI, oddI), c2, s2);
        turned(yr, yi, o + 3 * width, sub(gapR, turnR), sub(gapI, turnI), c3, s3);
      }
    }
  }
}

export function radix5(rest: i32, stride: i32, twiddles: usize, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const width = <usize>stride << 3;
  const block = <usize>rest * width;
  const cos1 = v128.splat<f64>(0.30901699437494745);
  const sin1 = v128.splat<f64>(0.9510565162951535);
  const cos2 = v128.splat<f64>(-0.8090169943749475);
  const sin2 = v128.splat<f64>(0.5877852522924731);
  for (let p = 0; p < rest; p++) {
    const from = <usize>p * width;
    const to = 5 * from;
    for (let q: usize = 0; q < width; q += 16) {
      const a = from + q;
      const b = a + block;
      const c = b + block;
      const d = c + block;
      const e = d + block;
      const ar = v128.load(xr + a);
      const ai = v128.load(xi + a);
      const sum1R = add(v128.load(xr + b), v128.load(xr + e));
      const sum1I = add(v128.load(xi + b), v128.load(xi + e));
      const sum2R = add(v128.load(xr + c), v128.load(xr + d));
      const sum2I = add(v128.load(xi + c), v128.load(xi + d));
      const gap1R = sub(v128.load(xr + b), v128.load(xr + e));
      const gap1I = sub(v128.load(xi + b), v128.load(xi + e));
      const gap2R = sub(v128.load(xr + c), v128.load(xr + d));
      const gap2I = sub(v128.load(xi + c), v128.load(xi + d));
      const mid1R = add(ar, add(mul(cos1, sum1R), mul(cos2, sum2R)));
      const mid1I = add(ai, add(mul(cos1, sum1I), mul(cos2, sum2I)));
      const mid2R = add(ar, add(mul(cos2, sum1R), mul(cos1, sum2R)));
      const mid2I = add(ai, add(mul(cos2, sum1I), mul(cos1, sum2I)));
      const turn1R = add(mul(sin1, gap1I), mul(sin2, gap2I));
      const turn1I = add(mul(sin1, gap1R), mul(sin2, gap2R));
      const turn2R = sub(mul(sin2, gap1I), mul(sin1, gap2I));
      const turn2I = sub(mul(sin2, gap1R), mul(sin1, gap2R));
      const o = to + q;
      const t = twiddles;
      plain(yr, yi, o, add(ar, add(sum1R, sum2R)), add(ai, add(sum1I, sum2I)));
      turned(yr, yi, o + width, add(mid1R, turn1R), sub(mid1I, turn1I), splat(t), splat(t + 8));
      turned(yr, yi, o + 2 * width, add(mid2R, turn2R), sub(mid2I, turn2I), splat(t + 16), splat(t + 24));
      turned(yr, yi, o + 3 * width, sub(mid2R, turn2R), add(mid2I, turn2I), splat(t + 32), splat(t + 40));
      turned(yr, yi, o + 4 * width, sub(mid1R, turn1R), add(mid1I, turn1I), splat(t + 48), splat(t + 56));
    }
    twiddles += 64;
  }
}

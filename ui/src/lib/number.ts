// SPDX-License-Identifier: Apache-2.0
/* number - counts, bytes and shares as text. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

// A thin space groups digits without being mistaken for a decimal point in any country.
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "—" : whole.format(n).replace(/,/g, "\u2009");
}

/* "12.4 k": only where space is short, in charts. */
export function count_short(n: number): string {
  if (Math.abs(n) < 10_000) return count(n);
  if (Math.abs(n) < 1e6) return `${trim(n / 1e3)} k`;
  return `${trim(n / 1e6)} M`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "—";
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = n;
  let unit = -1;
  do { value /= 1000; unit++; } while (value >= 999.5 && unit < units.length - 1);
  return `${trim(value)} ${units[unit]}`;
}

export function percent(share: number): string {
  const p = share * 100;
  if (p > 0 && p < 1) return `${p.toFixed(1)} %`;
  return `${Math.round(p)} %`;
}

function trim(n: number): string {
  return n < 10 ? n.toFixed(1).replace(/\.0$/, "") : String(Math.round(n));
}

export function plural(n: number, one: string, many = one + "s"): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/* Sorted copy's middle; null when there is none. */
export function median(values: number[]): number | null {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 ? sorted[mid] : (sorted[mid - 1] + sorted[mid]) / 2;
}

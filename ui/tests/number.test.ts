// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { bytes, count, count_short, median, percent, plural } from "../src/lib/number.ts";

test("counts are grouped by a thin space, and unknown is a dash", () => { expect(count(12480)).toBe("12\u2009480"); expect(count(0)).toBe("0"); expect(count(null)).toBe("—"); });
test("short counts are only short from 10 000 on", () => { expect(count_short(9999)).toBe("9\u2009999"); expect(count_short(12_400)).toBe("12 k"); expect(count_short(2_500_000)).toBe("2.5 M"); });
test("bytes step by 1000 and never show 1000 of a unit", () => {
  expect([bytes(0), bytes(999), bytes(1000), bytes(999_600), bytes(5.2e6), bytes(null)]).toEqual(["0 B", "999 B", "1 kB", "1 MB", "5.2 MB", "—"]);
  for (let n = 1; n < 1e15; n = n * 3 + 1) expect(bytes(n)).not.toMatch(/^1000 /);
});
test("a share below one percent keeps a decimal", () => { expect(percent(0.004)).toBe("0.4 %"); expect(percent(0.5)).toBe("50 %"); expect(percent(0)).toBe("0 %"); });
test("one thing is singular", () => { expect(plural(1, "run")).toBe("1 run"); expect(plural(2, "run")).toBe("2 runs"); });
test("the median of none is none", () => { expect(median([])).toBeNull(); expect(median([3, 1, 2])).toBe(2); expect(median([4, 1, 2, 3])).toBe(2.5); });

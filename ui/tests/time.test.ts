// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { ago, clock, date, duration, duration_live, instant, instant_of_wall, NONE, offset, parse_rfc3339, schedule_words } from "../src/lib/time.ts";

const BERLIN = "Europe/Berlin";

describe("durations", () => {
  test.each([
    [0, "0 ms"], [4, "4 ms"], [60, "0.06 s"], [400, "0.4 s"], [949, "0.9 s"], [1000, "1 s"], [1500, "1.5 s"], [9999, "10.0 s"], [12_000, "12 s"], [59_400, "59 s"], [59_600, "1 m 00 s"],
    [192_000, "3 m 12 s"], [3_599_499, "59 m 59 s"], [3_600_000, "1 h 00 m"], [3_840_000, "1 h 04 m"], [183_600_000, "2 d 03 h"],
  ])("%d ms reads %s", (ms, text) => expect(duration(ms)).toBe(text));
  test("unknown is a dash, never zero", () => { expect(duration(null)).toBe(NONE); expect(duration(Number.NaN)).toBe(NONE); });
  test("a clock that runs backwards gives no negative duration", () => expect(duration(-5000)).toBe("0 ms"));
  test("live ones tick in whole seconds", () => { expect(duration_live(999)).toBe("0 s"); expect(duration_live(1999)).toBe("1 s"); expect(duration_live(61_900)).toBe("1 m 01 s"); });
  test("no duration ever shows 60 in its smaller part", () => {
    for (let ms = 0; ms < 200_000_000; ms += 7919) expect(duration(ms)).not.toMatch(/\b60 [sm]\b/);
  });
});

describe("instants", () => {
  const at = Date.parse("2026-11-21T13:03:07.123Z");
  test("are shown in the zone that is asked for", () => {
    expect(instant(at, "UTC")).toBe("2026-11-21 13:03:07");
    expect(instant(at, BERLIN)).toBe("2026-11-21 14:03:07");
    expect(instant(at, "Asia/Kolkata")).toBe("2026-11-21 18:33:07");
  });
  test("midnight is 00, and the day is the zone's", () => { expect(clock(Date.parse("2026-11-20T23:00:00Z"), BERLIN)).toBe("00:00:00"); expect(date(Date.parse("2026-11-20T23:00:00Z"), BERLIN)).toBe("2026-11-21"); });
  test("milliseconds are kept where they are asked for", () => expect(clock(at, "UTC", true)).toBe("13:03:07.123"));
  test("the doubled hour is told apart by its offset", () => {
    const first = Date.parse("2026-10-25T00:30:00Z");
    expect(clock(first, BERLIN)).toBe(clock(first + 3_600_000, BERLIN));
    expect([offset(first, BERLIN), offset(first + 3_600_000, BERLIN)]).toEqual(["+02:00", "+01:00"]);
  });
  test("a relative time says which way", () => { expect(ago(0, 192_000)).toBe("3 m ago"); expect(ago(192_000, 0)).toBe("in 3 m"); expect(ago(0, 500)).toBe("now"); });
  test("text that is no time is no time", () => { expect(parse_rfc3339("yesterday")).toBeNull(); expect(parse_rfc3339(null)).toBeNull(); });
});

describe("wall clock to instant", () => {
  test("is the inverse of showing it, in every zone and over a whole year", () => {
    for (const zone of ["UTC", BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns"])
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 10_007 * 1000) {
        const wall = instant(at, zone).replace(" ", "T");
        const back = instant_of_wall(wall, zone)!;
        // Equal, or the earlier one of a time that exists twice.
        expect(instant(back, zone)).toBe(instant(at, zone));
        expect(at - back === 0 || (at > back && at - back <= 3_600_000)).toBe(true);
      }
  });
  test("a time that does not exist is the instant after the gap", () => expect(instant(instant_of_wall("2026-03-29T02:30", BERLIN), BERLIN)).toBe("2026-03-29 03:30:00"));
  test("other text is refused", () => expect(instant_of_wall("21.11.2026", BERLIN)).toBeNull());
});

describe("schedules in words", () => {
  test.each([
    [null, "by hand"], ["@daily", "every day 00:00"], ["0 6 * * *", "every day 06:00"], ["*/10 * * * *", "every 10 minutes"], ["0 * * * *", "every hour"], ["15 * * * *", "hourly at :15"],
    ["30 4 * * 1", "Mondays 04:30"], ["0 9 * * 1-5", "weekdays 09:00"], ["0 1 1 * *", "day 1 of the month 01:00"], ["0 */4 * * *", "every 4 hours"],
    ["0 6 * 1 *", "0 6 * 1 *"], ["0 6 1 * 5", "0 6 1 * 5"], ["every 10m", "every 10m"], ["0 6-9 * * *", "0 6-9 * * *"],
  ])("%s", (schedule, words) => expect(schedule_words(schedule)).toBe(words));
});

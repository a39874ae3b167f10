// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { line_of, plain_of, spans_of } from "../src/log/ansi.ts";
import { blocks, inline } from "../src/lib/markdown.ts";
import { diff_lines, diff_values } from "../src/lib/diff.ts";
import { control_of, value_of } from "../src/lib/schema_form.ts";
import { match, path_of } from "../src/lib/router.tsx";

describe("a line of a log", () => {
  test("loses its time and stream, and keeps them as such", () => expect(line_of("2026-11-21T06:00:00.123Z e oops")).toEqual({ at: Date.parse("2026-11-21T06:00:00.123Z"), stream: "e", text: "oops" }));
  test("without a time is shown whole", () => expect(line_of("just text")).toEqual({ at: null, stream: "o", text: "just text" }));
  test("that rewrites itself shows its last state", () => expect(line_of("10%\r50%\r100%\r").text).toBe("100%"));
  test("keeps colours as classes and drops every other escape", () => {
    expect(spans_of("\u001b[1;31mred\u001b[0m plain \u001b[2K\u001b]0;title\u0007end")).toEqual([{ text: "red", style: "a-red a-bold" }, { text: " plain ", style: "" }, { text: "end", style: "" }]);
    expect(spans_of("\u001b[38;2;250;20;20mx")[0].style).toBe("a-red");
    expect(spans_of("\u001b[38;5;21mx")[0].style).toBe("a-blue");
    expect(plain_of("\u001b[31mred\u001b[0m")).toBe("red");
  });
  test("links only to http and https, without the full stop", () => {
    expect(spans_of("see https://a.example/x. ok").map((s) => s.href)).toEqual([undefined, "https://a.example/x", undefined]);
    expect(spans_of("javascript:alert(1) file:///etc/passwd").every((s) => !s.href)).toBe(true);
  });
  test("makes text that would reorder itself visible", () => expect(spans_of("a\u202eb")[0].text).toBe("a‹U+202E›b"));
  test("an escape at the end or a torn one does not break it", () => { for (const s of ["\u001b", "\u001b[", "\u001b[3", "\u001b]8;;http://x", "\u001b[38;5m"]) expect(() => spans_of(s)).not.toThrow(); });
});

describe("markdown", () => {
  test("knows headings, lists, code and links", () => expect(blocks("# T\n\nA **b** `c`\n\n- x\n- y\n\n```\ncode\n```").map((b) => b.kind)).toEqual(["heading", "paragraph", "list", "code"]));
  test("gives no link to anything but http, https, mailto and this site", () => {
    for (const bad of ["javascript:alert(1)", "data:text/html,x", "//evil.example", "vbscript:x"]) expect(inline(`[x](${bad})`).some((i) => i.kind === "link")).toBe(false);
    expect(inline("[x](https://a.example)")).toEqual([{ kind: "link", text: "x", href: "https://a.example" }]);
  });
  test("HTML stays text", () => expect(inline("<img src=x onerror=alert(1)>")).toEqual([{ kind: "text", text: "<img src=x onerror=alert(1)>" }]));
  test("always ends", () => { for (const s of ["#", "```", "- ", "**", "[", "1.", "\n\n\n", "> quote", "| a |"]) expect(() => blocks(s)).not.toThrow(); });
});

describe("differences", () => {
  test("of texts are the fewest lines", () => expect(diff_lines("a\nb\nc", "a\nx\nc").map((l) => l.kind[0] + l.text)).toEqual(["sa", "ob", "nx", "sc"]));
  test("put together give both texts back", () => {
    const a = "1\n2\n3\n4\n5\n6", b = "0\n2\n3\n7\n5\n6\n8";
    const lines = diff_lines(a, b);
    expect(lines.filter((l) => l.kind !== "new").map((l) => l.text).join("\n")).toBe(a);
    expect(lines.filter((l) => l.kind !== "old").map((l) => l.text).join("\n")).toBe(b);
  });
  test("of values name the path", () => expect(diff_values({ a: { b: 1 }, c: 2 }, { a: { b: 3 }, c: 2 })).toEqual([{ path: "a.b", before: 1, after: 3 }]));
});

describe("a form from a schema", () => {
  test("has the control that the type asks for", () => expect([{ type: "integer" }, { type: ["null", "number"] }, { enum: ["a"] }, { type: "boolean" }, { type: "array" }, { type: "string", format: "date" }, {}].map((s) => control_of(s, undefined))).toEqual(["integer", "number", "select", "check", "json", "date", "text"]));
  test("says what is wrong in words", () => {
    expect(value_of({ type: "integer", maximum: 10 }, "integer", "11")).toEqual({ problem: "At most 10." });
    expect(value_of({ type: "integer" }, "integer", "1.5")).toEqual({ problem: "A whole number is needed." });
    expect(value_of({ type: "array" }, "json", "[1")).toHaveProperty("problem");
  });
  test("keeps the type of a choice", () => expect(value_of({ enum: [1, 2] }, "select", "2")).toEqual({ value: 2 }));
  test("an empty field is null where null is allowed", () => { expect(value_of({ type: ["integer", "null"] }, "integer", "")).toEqual({ value: null }); expect(value_of({ type: "integer" }, "integer", "")).toHaveProperty("problem"); });
});

describe("addresses", () => {
  test("are encoded once and read back", () => {
    const run = "manual__2026-11-21T06:00:00+00:00";
    const path = path_of.task("d/x", run, "g.t%", 3, "history");
    expect(match("/dags/:dag/runs/:run/tasks/:task/mapped/:map/:tab", path)).toEqual({ dag: "d/x", run, task: "g.t%", map: "3", tab: "history" });
  });
  test("that cannot be decoded fit nothing", () => expect(match("/dags/:dag", "/dags/%zz")).toBeNull());
  test("fit only patterns of their length", () => { expect(match("/dags/:dag", "/dags")).toBeNull(); expect(match("/dags/:dag", "/dags/a/b")).toBeNull(); });
});

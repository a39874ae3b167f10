// SPDX-License-Identifier: Apache-2.0
/* schema_form - what control a parameter's JSON Schema asks for, and whether a value fits. The server checks again; this
 * answers while one types. Patterns are not run here: they are the author's, and may be slow. */

export interface Schema {
  type?: string | string[]; enum?: unknown[]; minimum?: number; maximum?: number; minLength?: number; maxLength?: number; format?: string; title?: string; description?: string; default?: unknown; items?: Schema;
}
export type Control = "select" | "check" | "integer" | "number" | "date" | "datetime" | "text" | "json";

function types(schema: Schema): string[] {
  return (Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []).filter((t) => t !== "null");
}

export function nullable(schema: Schema): boolean {
  return Array.isArray(schema.type) && schema.type.includes("null");
}

export function control_of(schema: Schema, value: unknown): Control {
  if (schema.enum) return "select";
  const type = types(schema)[0] ?? (value === null || value === undefined ? "string" : Array.isArray(value) ? "array" : typeof value);
  if (type === "boolean") return "check";
  if (type === "integer") return "integer";
  if (type === "number") return "number";
  if (type === "array" || type === "object") return "json";
  return schema.format === "date" ? "date" : schema.format === "date-time" ? "datetime" : "text";
}

export function text_of(control: Control, value: unknown): string {
  if (value === null || value === undefined) return "";
  return control === "json" ? JSON.stringify(value) : String(value);
}

/* The value that a text stands for, or the sentence that says what is wrong with it. */
export function value_of(schema: Schema, control: Control, text: string): { value: unknown } | { problem: string } {
  if (text === "" && control !== "text") return nullable(schema) ? { value: null } : { problem: "A value is needed." };
  if (text === "" && nullable(schema)) return { value: null };
  if (control === "integer" || control === "number") return number_of(schema, control, text);
  if (control === "check") return { value: text === "true" };
  if (control === "select") return { value: schema.enum!.find((v) => String(v) === text) };
  if (control === "json") {
    try {
      return { value: JSON.parse(text) };
    } catch (error) {
      return { problem: `Not JSON: ${(error as Error).message}` };
    }
  }
  if (schema.minLength !== undefined && text.length < schema.minLength) return { problem: `At least ${schema.minLength} characters.` };
  if (schema.maxLength !== undefined && text.length > schema.maxLength) return { problem: `At most ${schema.maxLength} characters.` };
  return { value: text };
}

function number_of(schema: Schema, control: Control, text: string): { value: unknown } | { problem: string } {
  const n = Number(text);
  if (!Number.isFinite(n)) return { problem: "Not a number." };
  if (control === "integer" && !Number.isInteger(n)) return { problem: "A whole number is needed." };
  if (schema.minimum !== undefined && n < schema.minimum) return { problem: `At least ${schema.minimum}.` };
  if (schema.maximum !== undefined && n > schema.maximum) return { problem: `At most ${schema.maximum}.` };
  return { value: n };
}

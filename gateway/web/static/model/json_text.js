/** JSON as people read it: lines, kinds for colours, and nothing that hides.  Knows no document. */

const INDENT = "  ";
/** Control characters and those that turn the direction of text, or can't be seen. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** `text` in which what can't be seen can be: ␊ for a line end, ⟨U+202E⟩ for others. */
export function visible(text) {
  return text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** A name of at most `most` characters, shortened in its middle. */
export function shortened(name, most) {
  const shown = visible(name);
  if (shown.length <= most) return shown;
  const half = Math.floor((most - 1) / 2);
  return `${shown.slice(0, half)}…${shown.slice(-half)}`;
}

/**
 * The parts of `value` as `[kind, text]`, of at most `most` characters; `kind` is "key", "text",
 * "figure", "word" (true, false, null) or "sign".  Returns `{parts, isCut}`.
 */
export function parts(value, most) {
  const found = [];
  const writer = {
    room: most,
    put(kind, text) {
      if (this.room <= 0) return;
      const shown = text.slice(0, this.room);
      this.room -= shown.length;
      found.push([kind, shown]);
    },
  };
  write(value, "", writer);
  return { parts: found, isCut: writer.room <= 0 };
}

function write(value, indent, writer) {
  if (writer.room <= 0) return;
  if (typeof value === "string") writer.put("text", quoted(value));
  else if (typeof value === "number") writer.put("figure", String(value));
  else if (typeof value !== "object" || value === null) writer.put("word", String(value));
  else if (Array.isArray(value)) writeList(value, indent, writer);
  else writeObject(value, indent, writer);
}

function writeList(values, indent, writer) {
  const isFlat = values.every((each) => typeof each !== "object" || each === null);
  const inner = isFlat ? "" : `\n${indent}${INDENT}`;
  writer.put("sign", "[");
  for (const [index, each] of values.entries()) {
    if (writer.room <= 0) return;
    writer.put("sign", (index ? (isFlat ? ", " : ",") : "") + inner);
    write(each, indent + INDENT, writer);
  }
  writer.put("sign", isFlat || !values.length ? "]" : `\n${indent}]`);
}

function writeObject(value, indent, writer) {
  const names = Object.keys(value);
  writer.put("sign", "{");
  for (const [index, name] of names.entries()) {
    if (writer.room <= 0) return;
    writer.put("sign", `${index ? "," : ""}\n${indent}${INDENT}`);
    writer.put("key", quoted(name));
    writer.put("sign", ": ");
    write(value[name], indent + INDENT, writer);
  }
  writer.put("sign", names.length ? `\n${indent}}` : "}");
}

const quoted = (text) => `"${visible(text.replaceAll("\\", "\\\\").replaceAll('"', '\\"'))}"`;

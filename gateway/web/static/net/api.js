/** The gateway's REST routes; the token, where one is set, goes with every request. */

import { token } from "../ui/token.js";

const PATIENCE = 10_000; // milliseconds for a question; a change takes as long as it takes

/** What the gateway answered instead: `status` 0 when it did not answer at all. */
export class ApiError extends Error {
  constructor(status, answer) {
    super(answer.error ?? "");
    this.status = status;
    this.details = answer.details ?? "";
    this.nextStart = answer.nextStart ?? null;
    this.code = answer.code ?? ""; // what it is, for us
    this.field = answer.field ?? ""; // of posted keys: the one that can't be used
  }
}

async function request(path, options) {
  const brought = token();
  const headers = { ...options.headers, ...(brought && { Authorization: `Bearer ${brought}` }) };
  let answer;
  let value;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store" });
    value = await answer.json();
  } catch {
    throw new ApiError(0, {});
  }
  if (!answer.ok) throw new ApiError(answer.status, value);
  return value;
}

/** What the gateway answers to GET. */
export const ask = (path) => request(path, { signal: AbortSignal.timeout(PATIENCE) });

/** Have something changed; `body` is sent as JSON. */
export const change = (path, body = {}) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

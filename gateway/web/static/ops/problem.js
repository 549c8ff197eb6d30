/** An error of the gateway in words. */

import { clock } from "../ui/format.js";
import { t } from "../ui/i18n.js";

const CODES = new Set([
  "token_missing", "token_wrong", "token_weak", "held", "paused", "not_started", "ended_at_once",
  "not_ready", "superseded", "going_down",
]);

/** An `ApiError` as one text: our own words by its code, the gateway's only as the detail. */
export function problem(error) {
  if (!error.status) return t("problem.unreachable");
  const values = {
    detail: typeof error.details === "string" ? error.details : "",
    time: error.nextStart ? clock(error.nextStart) : "",
    field: error.field ? t(`credentials.${error.field}`) || error.field : "",
  };
  if (CODES.has(error.code)) return t(`problem.${error.code}`, values).trim();
  if (error.code === "keys") return t("problem.keys", { ...values, detail: error.message });
  if (error.status === 403) return t("problem.forbidden");
  return t("problem.said", { text: [error.message, values.detail].filter(Boolean).join(": ") });
}

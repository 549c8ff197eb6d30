/** An error of the gateway in words. */

import { t } from "../ui/i18n.js";

const TOKENS = new Set(["token_missing", "token_wrong", "token_weak"]);

/** An `ApiError` as one text. */
export function problem(error) {
  if (!error.status) return t("problem.unreachable");
  if (TOKENS.has(error.code)) return t(`problem.${error.code}`);
  if (error.status === 403) return t("problem.forbidden");
  const details = typeof error.details === "string" ? error.details : "";
  return t("problem.said", { text: [error.message, details].filter(Boolean).join(": ") });
}

/** How a worker ended, in words. */

import { t } from "../ui/i18n.js";

/** The kind of failure where it is known, else the signal or exit code, or why it never ran. */
export function ending({ code, signal, class: cause, reason }) {
  const why = cause && cause !== "other" ? t(`cause.${cause}`) || cause : "";
  if (why) return signal ? `${signal} · ${why}` : why;
  return signal ?? (code === null ? reason : t("exit.code", { code }));
}

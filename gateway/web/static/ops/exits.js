/** How a worker ended, in words. */

import { t } from "../ui/i18n.js";

/** Its signal or exit code, and the kind of failure where it is known; why it never ran. */
export function ending({ code, signal, class: cause, reason }) {
  const why = cause && cause !== "other" ? t(`cause.${cause}`) || cause : "";
  if (!signal && code === null) return reason || why;
  return [signal ?? t("exit.code", { code }), why].filter(Boolean).join(" · ");
}

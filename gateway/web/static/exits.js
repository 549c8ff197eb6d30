/** How a worker ended, in words. */

import { t } from "./i18n.js";

/** Its signal or exit code, and what kind of failure that was, as far as it is known. */
export function ending({ code, signal, class: cause }) {
  const how = signal ?? (code === null ? "" : t("exit.code", { code }));
  const why = cause && cause !== "other" ? t(`cause.${cause}`) || cause : "";
  return [how, why].filter(Boolean).join(" · ") || t("cause.other");
}

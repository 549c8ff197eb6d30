/** Notifications of the browser: whether there are any, and if not, why. */

/** "granted", "ask", "denied", "insecure" (plain HTTP over the network), or "app" (needs one). */
export function permission() {
  if (!window.isSecureContext) return "insecure";
  if (!("Notification" in window)) return "app";
  return { granted: "granted", denied: "denied" }[Notification.permission] ?? "ask";
}

/** Ask for it; fires with what became of that. */
export async function request() {
  if (permission() === "ask") await Notification.requestPermission();
  return permission();
}

/** Show one; whether the browser did. */
export function show(title, body) {
  if (permission() !== "granted") return false;
  try {
    new Notification(title, { body, tag: title });
    return true;
  } catch {
    return false; // phones have them only for apps
  }
}

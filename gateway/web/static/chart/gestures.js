/** What fingers, mouse and wheel do on a chart, told as moves; knows nothing of bars. */

import { mark } from "../ui/dom.js";

const ZOOM = 1.0015; // a pixel of the wheel
const HELD = 450; // milliseconds of a finger that stays until it holds the crosshair
const STILL = 8; // pixels that a finger may move meanwhile
const MOVED = 3; // pixels from which on a line is dragged, and not only met

/**
 * Listen on `element`.  `on` hears `point(x, y)`, `leave()`, `pan(pixels)`, `zoom(factor, x)`,
 * `pull(factor)` (on the axis), `fit()`, `reset()` (of the axis); `isAxis(x)` tells where it is.
 * Lines: `meets(y, pointer)` is the one that is there, if any; `take(y, pointer)` it, `drag(y)`, `drop(isDone)`.
 * A finger takes a line first, and drags it then: else a page could not be scrolled past it.
 */
export function gestures(element, isAxis, on) {
  const fingers = new Map(); // pointerId -> {x, y}
  let drag = null; // {x, y, from, isAxis, isPointing, isLine, isMoved}
  let apart = 0;
  let timer;

  /** Where it is on `element`; an event tells where it is on the button that it met. */
  const at = ({ target, offsetX: x, offsetY: y }) =>
    target.matches("button") ? { x: x + target.offsetLeft, y: y + target.offsetTop } : { x, y };

  element.addEventListener("wheel", (event) => {
    if (event.ctrlKey || Math.abs(event.deltaY) > 0 || Math.abs(event.deltaX) > 0) event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (sideways) on.pan(sideways);
    else on.zoom(ZOOM ** -event.deltaY, at(event).x);
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button")) return;
    const point = at(event);
    fingers.set(event.pointerId, point);
    element.setPointerCapture(event.pointerId);
    if (drag?.isMoved) on.drop(false); // a second finger: it is a pinch
    const pointer = event.pointerType;
    const line = fingers.size === 1 ? on.meets(point.y, pointer) : null;
    const isLine = Boolean(line) && (pointer !== "touch" || line.isChosen);
    drag = { ...point, from: point, isAxis: !isLine && isAxis(point.x), isPointing: false, isLine };
    if (fingers.size === 1) on.take(point.y, pointer);
    clearTimeout(timer);
    if (fingers.size === 2) {
      apart = span(fingers);
    } else if (event.pointerType === "touch") {
      timer = setTimeout(() => {
        if (!drag) return;
        drag.isPointing = true;
        on.point(drag.x, drag.y);
      }, HELD);
    }
  });

  element.addEventListener("pointermove", (event) => {
    const point = at(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "touch") return;
      on.point(point.x, point.y);
      mark(element, "over", on.meets(point.y, event.pointerType) ? "line" : "");
      return;
    }
    fingers.set(event.pointerId, point);
    if (fingers.size === 2) {
      const now = span(fingers);
      const [a, b] = fingers.values();
      if (apart > 0 && now > 0) on.zoom(now / apart, (a.x + b.x) / 2);
      apart = now;
      return;
    }
    if (Math.hypot(point.x - drag.from.x, point.y - drag.from.y) > STILL) clearTimeout(timer);
    if (drag.isLine) {
      drag.isMoved ||= Math.abs(point.y - drag.from.y) >= MOVED;
      if (drag.isMoved) on.drag(point.y);
    } else if (drag.isPointing) on.point(point.x, point.y);
    else if (drag.isAxis) on.pull(1.005 ** (before.y - point.y));
    else on.pan(before.x - point.x);
    if (event.pointerType !== "touch" && !drag.isAxis) on.point(point.x, point.y);
  });

  const lift = (event) => {
    clearTimeout(timer);
    fingers.delete(event.pointerId);
    if (drag?.isPointing || event.type === "pointercancel") on.leave();
    if (drag?.isMoved) on.drop(event.type === "pointerup");
    drag = null;
    apart = fingers.size === 2 ? span(fingers) : 0;
    for (const rest of fingers.values()) drag = { ...rest, from: rest, isAxis: false, isPointing: false };
  };
  element.addEventListener("touchstart", (event) => {
    if (event.target.closest("button")) return;
    const y = event.touches[0].clientY - element.getBoundingClientRect().top;
    if (event.touches.length === 1 && on.meets(y, "touch")?.isChosen) event.preventDefault(); // no scrolling
  }, { passive: false });
  element.addEventListener("pointerup", lift);
  element.addEventListener("pointercancel", lift);
  element.addEventListener("pointerleave", ({ pointerType }) => pointerType === "touch" || on.leave());
  element.addEventListener("dblclick", (event) => (isAxis(at(event).x) ? on.reset() : on.fit()));
}

function span(fingers) {
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
}

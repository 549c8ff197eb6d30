/** What a chart is drawn of, on a canvas context. */

const UP = 0.7, WIDEST = 11; // part of a bar's room that its body takes; pixels

/** How wide bodies of candles are. */
export const bodyWidth = (pitch) => Math.max(1, Math.min(WIDEST, Math.round(pitch * UP)));

/** A line across, sharp on whole pixels. */
export function rule(context, y, left, right, color, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(left, Math.round(y) + 0.5);
  context.lineTo(right, Math.round(y) + 0.5);
  context.stroke();
  context.setLineDash([]);
}

/** A line down. */
export function upright(context, x, top, bottom, color, dash = []) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, top);
  context.lineTo(Math.round(x) + 0.5, bottom);
  context.stroke();
  context.setLineDash([]);
}

/** A candle; all its prices as pixels. */
export function candle(context, x, open, high, low, close, width, color) {
  context.fillStyle = color;
  context.fillRect(Math.round(x - 0.5), high, 1, Math.max(1, low - high));
  if (width < 2) return;
  const top = Math.min(open, close);
  context.fillRect(Math.round(x - width / 2), top, width, Math.max(1, Math.abs(open - close)));
}

/** A line through `count` points; `point(i)` gives `[x, y]`, or null for a gap. */
export function curve(context, count, point, color, width = 1.3) {
  context.beginPath();
  let isOn = false;
  for (let i = 0; i < count; i++) {
    const at = point(i);
    if (!at) isOn = false;
    else if (isOn) context.lineTo(...at);
    else context.moveTo(...at);
    if (at) isOn = true;
  }
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineJoin = "round";
  context.stroke();
}

/** A square on its corner: a trial match. */
export function diamond(context, x, y, ink, ground) {
  context.beginPath();
  context.moveTo(x, y - 4);
  context.lineTo(x + 4, y);
  context.lineTo(x, y + 4);
  context.lineTo(x - 4, y);
  context.closePath();
  context.fillStyle = ground;
  context.fill();
  context.strokeStyle = ink;
  context.lineWidth = 1.2;
  context.stroke();
}

/** Text with a ground of `halo` around its letters. */
export function haloed(context, text, x, y, color, halo) {
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = halo;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

/**
 * A box with a text in it; `fill` is its ground, `edge` a line around it, "" for none.
 * `align` is that of the text.
 */
export function tag(context, box, text, { fill, ink, edge = "", align = "right" }) {
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, 3);
  context.fillStyle = fill;
  context.fill();
  if (edge) {
    context.strokeStyle = edge;
    context.lineWidth = 1;
    context.stroke();
  }
  context.fillStyle = ink;
  context.textAlign = align;
  const x = align === "right" ? box.x + box.width - 5 : box.x + box.width / 2;
  context.fillText(text, x, box.y + box.height / 2 + 0.5);
}

/** A line of a code's prices, small enough for a table's cell. */

const WIDTH = 64, HEIGHT = 22; // CSS pixels; see list.css
const INSET = 2.5;

/** A canvas to draw on. */
export function canvas() {
  const made = document.createElement("canvas");
  made.setAttribute("aria-hidden", "true"); // the price and its change are beside it
  return made;
}

/** Draw `series` on `made` in `color`; `reference` is in view, as a faint line. */
export function draw(made, series, reference, color, faint) {
  const context = made.getContext("2d");
  const scale = window.devicePixelRatio || 1;
  if (made.width !== Math.round(WIDTH * scale)) {
    made.width = Math.round(WIDTH * scale);
    made.height = Math.round(HEIGHT * scale);
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, WIDTH, HEIGHT);
  const { length, time, close } = series;
  if (!length) return;
  let low = close[0], high = close[0];
  for (let i = 1; i < length; i++) {
    if (close[i] < low) low = close[i];
    else if (close[i] > high) high = close[i];
  }
  if (reference >= low - (high - low) && reference <= high + (high - low)) {
    low = Math.min(low, reference);
    high = Math.max(high, reference);
    line(context, y(reference, low, high), faint);
  }
  const perSecond = (WIDTH - 2 * INSET) / (time[length - 1] - time[0] || 1);
  context.beginPath();
  for (let i = 0; i < length; i++) context.lineTo(INSET + (time[i] - time[0]) * perSecond, y(close[i], low, high));
  context.strokeStyle = color;
  context.lineWidth = 1.4;
  context.lineJoin = "round";
  context.stroke();
  context.beginPath();
  context.arc(length > 1 ? WIDTH - INSET : INSET, y(close[length - 1], low, high), 1.8, 0, 7);
  context.fillStyle = color;
  context.fill();
}

function y(price, low, high) {
  if (high === low) return HEIGHT / 2;
  return INSET + (1 - (price - low) / (high - low)) * (HEIGHT - 2 * INSET);
}

function line(context, at, color) {
  context.beginPath();
  context.moveTo(0, at);
  context.lineTo(WIDTH, at);
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.stroke();
}

/** How wide the list's columns are: counted from their longest texts, so that no figure is cut. */

const PRICE = 6.5, CHANGE = 6, VOLUME = 6, CODE = 7; // figures for which there is room, at least
const TREND = 72; // pixels
const PADDING = { price: 14, change: 26, volume: 15, code: 16 }; // pixels, an arrow included

/** How many figures a text is as wide as: points and commas are half as wide. */
export const figures = (text) => text.length - (text.match(/[.,]/g)?.length ?? 0) / 2;

/**
 * `{price, change, trend, volume}` in pixels; 0 for a column that gives way.  `total`: what there
 * is; `longest`: figures by column; `advance`: pixels of a figure, `{price, plain}`.
 */
export function widths(total, longest, advance) {
  const found = {
    price: Math.ceil(Math.max(PRICE, longest.price) * advance.price + PADDING.price),
    change: Math.ceil(Math.max(CHANGE, longest.change) * advance.plain + PADDING.change),
    trend: TREND,
    volume: Math.ceil(Math.max(VOLUME, longest.volume) * advance.plain + PADDING.volume),
  };
  const code = Math.max(CODE, longest.code) * advance.plain + PADDING.code;
  const rest = () => total - found.price - found.change - found.trend - found.volume;
  for (const name of ["trend", "volume"]) if (rest() < code) found[name] = 0;
  return found;
}

/** The pixels of a figure in the list's two sizes, as `{price, plain}`. */
export function measure(parent) {
  const width = (name) => {
    const line = document.createElement("span");
    line.className = `unseen ${name}`;
    line.setAttribute("aria-hidden", "true");
    line.textContent = "0000000000";
    parent.append(line);
    const found = line.scrollWidth / 10;
    line.remove();
    return found;
  };
  return { price: width("measure-price"), plain: width("measure-plain") };
}

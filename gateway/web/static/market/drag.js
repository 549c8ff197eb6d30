/** Rows of a list of one's own can be dragged to another place. */

import { mark } from "../ui/dom.js";

/** `isFree()`: rows may take other places now; `moved(row, other)`: `row` shall be where `other` is. */
export function dragRows(body, isFree, moved) {
  let dragged = null, over = null;
  const aim = (line) => {
    if (over) mark(over, "drop", "");
    over = line && line !== dragged ? line : null;
    if (over) mark(over, "drop", isBefore(over, dragged) ? "above" : "below");
  };
  body.addEventListener("dragstart", (event) => {
    const line = event.target.closest?.("tr");
    if (!line || !isFree()) return event.preventDefault();
    dragged = line;
    event.dataTransfer.effectAllowed = "move";
    mark(line, "dragged", "yes");
  });
  body.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault(); // it may be dropped here
    aim(event.target.closest("tr"));
  });
  body.addEventListener("drop", (event) => {
    if (!dragged || !over) return;
    event.preventDefault();
    moved(dragged.row, over.row);
  });
  body.addEventListener("dragend", () => {
    aim(null);
    if (dragged) mark(dragged, "dragged", "");
    dragged = null;
  });
}

const isBefore = (a, b) => Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING);

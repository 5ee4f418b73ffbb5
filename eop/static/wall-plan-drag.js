// A tile that is dragged over a seating plan, with a mouse or a finger.

const FAR = 6; // px: a press that goes no farther is a press
const EDGE = 48; // px: dragged so near the window's edge, the page scrolls
const SCROLL = 14; // px for each move there

const towards = (at, size) => (at < EDGE ? -SCROLL : at > size - EDGE ? SCROLL : 0);

export class PlanDrag {
  #wall;
  #press = null; // `{tile, x, y, left, pointer, isDrag, target}` while a button or finger is down

  constructor(wall) {
    this.#wall = wall;
  }

  get isDrag() {
    return this.#press?.isDrag === true;
  }

  down(event, tile) {
    this.drop();
    if (tile && event.button === 0 && event.isPrimary) {
      const { pageX: x, pageY: y, pointerId: pointer } = event;
      this.#press = { tile, x, y, left: this.#wall.scrollLeft, pointer, isDrag: false, target: null };
    }
  }

  move(event) {
    const press = this.#press;
    if (press === null || event.pointerId !== press.pointer) {
      return;
    }
    const [right, down] = [event.pageX - press.x, event.pageY - press.y];
    if (!press.isDrag) {
      if (Math.hypot(right, down) < FAR) {
        return;
      }
      press.isDrag = true;
      this.#wall.parentElement.setPointerCapture(press.pointer);
      press.tile.element.setAttribute("data-dragged", "");
    }
    window.scrollBy(0, towards(event.clientY, innerHeight));
    this.#wall.scrollBy(towards(event.clientX, innerWidth), 0);
    const slid = this.#wall.scrollLeft - press.left;
    press.tile.element.style.transform = `translate(${right + slid}px, ${down}px)`;
    const under = document.elementsFromPoint(event.clientX, event.clientY);
    this.#aim(under.find((one) => one.matches(".seat, .unplaced")) ?? null);
  }

  #aim(target) {
    if (this.#press.target !== target) {
      this.#press.target?.removeAttribute("data-target");
      target?.setAttribute("data-target", "");
      this.#press.target = target;
    }
  }

  /** The pointer is up: `{tile, target}` of a drag, nothing in it for a mere press. */
  up(event) {
    const press = this.#press;
    if (press === null || event.pointerId !== press.pointer) {
      return {};
    }
    const { isDrag, target, tile } = press;
    this.drop();
    return isDrag ? { tile, target } : {};
  }

  /** Let go without moving anything. */
  drop() {
    if (this.#press !== null) {
      const { tile, target } = this.#press;
      this.#press = null;
      target?.removeAttribute("data-target");
      tile.element.removeAttribute("data-dragged");
      tile.element.style.removeProperty("transform");
    }
  }
}

// Short messages above the action bar: what was done, and for how many; gone by themselves.

import { element } from "./wall-tile.js";

const SHOWN_MS = 6000;
const FAILURE_MS = 10_000;
const MOST = 3; // older ones give way

const place = () => document.getElementById("toasts");

/** Show a line; `failed` stays longer, `action` is `{word, run}`. It stays while it is looked at. */
export function toast(text, { failed = false, action = null } = {}) {
  const box = element("div", "toast", element("span", "", text));
  let timer = 0;
  const leave = () => box.remove();
  const stay = () => clearTimeout(timer);
  const count = () => {
    stay();
    timer = setTimeout(leave, failed ? FAILURE_MS : SHOWN_MS);
  };
  if (action) {
    const button = element("button", "b", action.word);
    button.type = "button";
    button.dataset.size = "s";
    button.addEventListener("click", () => {
      leave();
      action.run();
    });
    box.append(button);
  }
  for (const [name, then] of [["pointerenter", stay], ["focusin", stay], ["pointerleave", count], ["focusout", count]]) {
    box.addEventListener(name, then);
  }
  place().append(box);
  while (place().children.length > MOST) {
    place().firstElementChild.remove();
  }
  count();
}

export function clearToasts() {
  place().replaceChildren();
}

// What just happened, in one line at the foot of the picture and to screen readers.

const SHOWN_MS = 6000;
let timer = 0;

export function tell(text) {
  document.getElementById("say").textContent = text;
  const told = document.getElementById("told");
  told.textContent = text;
  told.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => { told.hidden = true; }, SHOWN_MS);
}

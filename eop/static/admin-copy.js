// Buttons that copy: the command beside them, or the text of the element that `data-copy` names.

const SHOWN_MS = 3000;

function textOf(button) {
  const named = button.dataset.copy;
  const source = named ? document.getElementById(named) : button.parentElement.querySelector("code");
  return source.textContent;
}

async function copy(button) {
  const words = button.querySelector("span");
  const label = words.textContent;
  try {
    await navigator.clipboard.writeText(textOf(button));
  } catch {
    select(button); // no clipboard without https: the text is marked, Ctrl+C does the rest
    return;
  }
  words.textContent = button.dataset.done;
  document.getElementById("said")?.replaceChildren(button.dataset.done);
  setTimeout(() => {
    words.textContent = label;
  }, SHOWN_MS);
}

function select(button) {
  const named = button.dataset.copy;
  const source = named ? document.getElementById(named) : button.parentElement.querySelector("code");
  source.closest("details")?.setAttribute("open", "");
  getSelection().selectAllChildren(source);
}

function show() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button && !button.dataset.busy) {
    copy(button);
  }
});
document.addEventListener("renewed", show);
show();

// Which presses of a key are the page's: not those of fields, dialogs, or a controlled screen.

const TAKES_TEXT = "input:not([type=radio], [type=checkbox], [type=button], [type=submit]), select, "
  + "textarea, [contenteditable]";
const TAKES_KEYS = "dialog, [role=menu], .stage[data-mode=control]";

/** Whether letters and signs alone may be shortcuts: everyone can switch them off. */
export function lettersAllowed() {
  return document.body.dataset.singleKeys !== "off";
}

/** Switch them on or off in this page; the server keeps it for the next. */
export function allowLetters(yes) {
  document.body.dataset.singleKeys = yes ? "on" : "off";
}

/** Whether this press may be a shortcut of the page: a key by itself, and not where one types. */
export function isForPage(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) {
    return false;
  }
  return !event.target.closest?.(`${TAKES_TEXT}, ${TAKES_KEYS}`);
}

/** Whether this press may be a shortcut of one letter or sign. */
export function isLetterForPage(event) {
  return event.key.length === 1 && lettersAllowed() && isForPage(event);
}

/** Whether this press is that letter, as a shortcut of the page. */
export function isLetter(event, letter) {
  return isLetterForPage(event) && event.key.toLowerCase() === letter;
}

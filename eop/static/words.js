// The page's words: `t`, its English text and values, gives them in the page's language.
// The site collects the texts of every call that starts with a plain string.

let known = null;

function words() {
  if (known === null) {
    const element = document.getElementById("words");
    known = element === null ? {} : JSON.parse(element.textContent);
  }
  return known;
}

/** The text in the page's language, its `{names}` filled in. */
export function t(text, values = {}) {
  return fill(words()[text] ?? text, values);
}

/** Replace each `{name}` for which there is a value. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** A span of seconds: "4 s", "2 min". */
export function span(seconds) {
  return seconds < 60 ? t("{n} s", { n: seconds }) : t("{n} min", { n: Math.floor(seconds / 60) });
}

/** A time of day, as the page's language writes it. */
export function timeOfDay(milliseconds) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" }).format(
    milliseconds,
  );
}

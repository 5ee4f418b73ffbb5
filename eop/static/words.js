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
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? written(values[name]) : whole));
}

/** A span of seconds: "4 s", "2 min". */
export function span(seconds) {
  return seconds < 60 ? t("{n} s", { n: seconds }) : t("{n} min", { n: Math.floor(seconds / 60) });
}

/** A time of day, as the page's language writes it. */
export function timeOfDay(milliseconds) {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(milliseconds);
}

/** Whose dates and numbers this page writes, for `Intl`; the site writes them alike. */
export function locale() {
  const language = globalThis.document?.documentElement?.lang || "en";
  return language === "en" ? "en-GB" : language;
}

let numbers = null; // made once: every tile writes its age each second

// a number is a count; what is not (a port, a name) comes as text
function written(value) {
  if (typeof value !== "number") {
    return String(value);
  }
  numbers ??= new Intl.NumberFormat(locale());
  return numbers.format(value);
}

// Says how far each job is; once one is over, the page is loaded anew and shows what came of it.

const POLL_MS = 700;
const TIMEOUT_MS = 10_000;
const QUARTERS = 4; // what is said aloud

async function look(panel) {
  let answer;
  try {
    answer = await fetch(panel.dataset.status, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return false; // the server is away for a moment: the next look may find it
  }
  // who was signed out gets a page instead: loading this one leads to the door and back
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (answer.status >= 500) {
    return false;
  }
  if (!answer.ok || !isJson) {
    return true; // its document is removed
  }
  const told = await answer.json();
  const bar = panel.querySelector("progress");
  const before = Math.floor((bar.value / bar.max) * QUARTERS);
  bar.value = told.done;
  panel.querySelector("[data-job-text]").textContent = told.text;
  const now = Math.floor((told.done / told.total) * QUARTERS);
  if (now > before) {
    panel.querySelector("[data-job-told]").textContent = told.text;
  }
  return told.over;
}

async function follow() {
  const open = [...document.querySelectorAll('[data-job][data-state="open"]')];
  const over = await Promise.all(open.map(look));
  if (over.includes(true)) {
    // a removed document has no page of its own any more
    location.replace(location.pathname + location.search.replace(/([?&])done=[\w-]+/, "$1"));
    return;
  }
  setTimeout(follow, POLL_MS);
}

follow();

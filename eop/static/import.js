// Says how far an import is, and shows what it did once it is over.

const POLL_MS = 1000;
const TIMEOUT_MS = 10_000;

const panel = document.getElementById("import");
const text = document.getElementById("import-read");

async function look() {
  let answer;
  try {
    answer = await fetch(panel.dataset.status, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return; // the server is away for a moment: the next look may find it
  }
  // who was signed out gets a page instead: loading this one leads to the door and back
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const status = isJson ? await answer.json() : { over: true };
  if (status.over) {
    location.reload();
  } else if (status.text !== text.textContent) {
    text.textContent = status.text;
  }
}

async function follow() {
  await look();
  setTimeout(follow, POLL_MS);
}

follow();

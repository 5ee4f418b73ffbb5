// Sends one file up in pieces. A cut is no failure: it asks how much is held and goes on from there,
// also when the page was loaded again and the same file is chosen once more.

import { call, CallError } from "./api.js";
import { Backoff } from "./backoff.js";
import { Sha256 } from "./sha256.js";
import { t } from "./words.js";

const PIECE_TIMEOUT_MS = 60_000; // a mebibyte over a slow line
const GIVE_UP_MS = 30 * 60_000; // half of what an upload is held for at least

/** Send `file`; resolves to `{id, name, size}`. `tell(done)` is called with bytes that are held.
 *  `wait(isWaiting)` says whether the server is away just now. Throws `CallError`, or what `signal`
 *  was aborted with. */
export async function sendFile(page, file, { tell, wait, signal }) {
  const wanted = { name: file.name, size: file.size, changed_at: Math.max(0, file.lastModified) };
  const begin = () => call(page, "POST", "uploads", wanted);
  let held = await patiently(begin, wait, signal);
  const hash = new Sha256();
  let hashed = 0;
  let at = held.whole ? file.size : held.received;
  while (hashed < file.size || at < file.size) {
    signal.throwIfAborted();
    // what is held already is only read, for the hash of the whole
    const from = Math.min(hashed, at);
    const piece = new Uint8Array(await file.slice(from, from + page.body).arrayBuffer());
    if (piece.length === 0) {
      throw new CallError(0, "changed", t("The file has changed. Choose it again."));
    }
    if (from + piece.length > hashed) {
      hash.update(piece.subarray(hashed - from));
      hashed = from + piece.length;
    }
    if (at < hashed) {
      const body = piece.subarray(at - from);
      held = await patiently(() => put(page, held.id, at, body, signal), wait, signal, async () => {
        held = await call(page, "GET", `uploads/${held.id}`);
        return held;
      });
      at = held.whole ? file.size : held.received;
    }
    tell(at);
  }
  if (!held.whole) {
    const sha256 = hash.hex();
    held = await patiently(() => call(page, "POST", `uploads/${held.id}/check`, { sha256 }), wait, signal);
  }
  tell(file.size);
  return held;
}

/** Do it again while the server is away; `look`, once it is back, may answer in its place. */
async function patiently(work, wait, signal, look = null) {
  const backoff = new Backoff();
  const until = performance.now() + GIVE_UP_MS;
  let isAway = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      const answer = await (isAway && look ? look() : work());
      wait(false);
      return answer;
    } catch (error) {
      const mayPass = error instanceof CallError && (error.status === 0 || error.status >= 502 && error.status < 507);
      if (!mayPass || error.code === "changed" || performance.now() > until) {
        throw error;
      }
      isAway = true;
      wait(true);
      await new Promise((done) => setTimeout(done, backoff.next()));
    }
  }
}

async function put(page, id, offset, body, signal) {
  let answer;
  let read;
  try {
    answer = await fetch(`${page.api}/uploads/${id}?offset=${offset}`, {
      method: "PUT",
      headers: { "Content-Type": "application/octet-stream", "X-CSRF-Token": page.csrf },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PIECE_TIMEOUT_MS)]),
    });
    read = await answer.json();
  } catch {
    signal.throwIfAborted();
    throw new CallError(0, "unreachable", t("Connection to the server lost."));
  }
  if (!answer.ok) {
    throw new CallError(answer.status, read.error?.code ?? "failed", read.error?.message ?? "");
  }
  return read;
}

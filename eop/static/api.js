// Calls to the site's API from a page: JSON, with the session's token against forgery.

import { t } from "./words.js";

const TIMEOUT_MS = 10_000;

/** A call that failed: `status` 0 when the server was not reached. */
export class CallError extends Error {
  constructor(status, code, message, retryAfter = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const CLOSED_MS = 5_000; // while an administrator keeps all screens closed, a page asks so seldom

/** The wait before the next try where `error` says that all screens are closed; else 0. */
export function closedWait(error) {
  return error instanceof CallError && error.code === "switched_off" ? CLOSED_MS : 0;
}

/** The page's own data. */
export function pageData() {
  return JSON.parse(document.getElementById("page").textContent);
}

/** A call: what it answers, `null` for nothing. Throws `CallError`. */
export async function call(page, method, path, wanted) {
  let answer;
  let body = null;
  try {
    answer = await fetch(`${page.api}/${path}`, {
      method,
      headers: { "Content-Type": "application/json", "X-CSRF-Token": page.csrf },
      body: wanted === undefined ? undefined : JSON.stringify(wanted),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 204) {
      body = await answer.json();
    }
  } catch {
    throw new CallError(answer?.ok === false ? answer.status : 0, "unreachable", t("Connection to the server lost."));
  }
  if (!answer.ok) {
    const { code = "failed", message = "" } = body.error ?? {};
    throw new CallError(answer.status, code, message, Number(answer.headers.get("Retry-After")) || 0);
  }
  return body;
}

function post(page, path, wanted) {
  return call(page, "POST", path, wanted);
}

/** A ticket for what `wanted` names: `{ticket, url, …}`. Throws `CallError`. */
export function newTicket(page, wanted) {
  return post(page, "tickets", wanted);
}

/** Have a workstation tried again at once, whatever it waits for. Throws `CallError`. */
export function tryAgain(page, workstation) {
  return post(page, `workstations/${encodeURIComponent(workstation)}/retry`, {});
}

/** The subprotocols that carry a ticket. */
export function protocolsOf(ticket) {
  return ["binary", `ticket.${ticket.ticket}`];
}

// Calls to the site's API from a page: JSON, with the session's token against forgery.

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

/** The page's own data. */
export function pageData() {
  return JSON.parse(document.getElementById("page").textContent);
}

/** A ticket for what `wanted` names: `{ticket, url, …}`. Throws `CallError`. */
export async function newTicket(page, wanted) {
  let answer;
  let body;
  try {
    answer = await fetch(`${page.api}/tickets`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": page.csrf },
      body: JSON.stringify(wanted),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await answer.json();
  } catch (error) {
    throw new CallError(answer?.ok === false ? answer.status : 0, "unreachable", String(error));
  }
  if (!answer.ok) {
    const { code = "failed", message = "" } = body.error ?? {};
    throw new CallError(answer.status, code, message, Number(answer.headers.get("Retry-After")) || 0);
  }
  return body;
}

/** The subprotocols that carry a ticket. */
export function protocolsOf(ticket) {
  return ["binary", `ticket.${ticket.ticket}`];
}

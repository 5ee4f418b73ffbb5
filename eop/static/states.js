// What each state and reason of a workstation is called, who can mend it, and how it looks.

import { t } from "./words.js";

const FAULTS = new Set(["offline", "unreachable", "refused", "wrong_password", "unsupported"]);
const ORDER = ["wrong_password", "unsupported", "refused", "unreachable", "offline", "connecting",
  "unknown", "controlled", "viewed", "ready"];

/** Whether the daemon told of a fault, so that no picture may be shown. */
export function isFault(state) {
  return FAULTS.has(state);
}

/** A rank for sorting by state: the worst first. */
export function stateRank(state) {
  const rank = ORDER.indexOf(state);
  return rank < 0 ? ORDER.length : rank;
}

const LOOKS = {
  unknown_host: () => ["unplug", "warn", t("Host name not found"), t("Not found")],
  no_route: () => ["unplug", "warn", t("No network leads there"), t("Out of reach")],
  silent: () => ["unplug", "warn", t("The VNC server is silent"), t("Silent")],
  closed: () => ["bad", "bad", t("Connection closed"), t("Closed")],
  turned_away: () => ["bad", "bad", t("Turned away by the VNC server"), t("Refused")],
  key_changed: () => ["alert", "bad", t("Its key has changed"), t("Key")],
  unconfirmed: () => ["alert", "warn", t("Nobody has confirmed its key"), t("Key")],
  untrusted: () => ["alert", "bad", t("Not proven who it is"), t("Key")],
  bad_server: () => ["bad", "bad", t("Unreadable answer"), t("Not VNC")],
};
const STATE_LOOKS = {
  offline: () => ["unplug", "warn", t("Not answering"), t("No answer")],
  unreachable: () => ["unplug", "warn", t("Out of reach")],
  refused: () => ["bad", "bad", t("Connection refused"), t("Refused")],
  wrong_password: () => ["bad", "bad", t("Password refused"), t("Password")],
  unsupported: () => ["bad", "bad", t("Unknown sign-in"), t("Sign-in")],
  connecting: () => ["refresh", "", t("Connecting…")],
  unknown: () => ["clock", "", t("Not looked at yet")],
  viewed: () => ["eye", "info", t("Viewed")],
  controlled: () => ["control", "info", t("Controlled")],
  ready: () => ["eye", "", t("Live")],
};

/** `{icon, tone, word, short}` of a state, its reason deciding where it says more. */
export function look(state, reason) {
  const precise = isFault(state) ? LOOKS[reason?.code] : undefined;
  const [icon, tone, word, short = word] = (precise ?? STATE_LOOKS[state] ?? STATE_LOOKS.unknown)();
  return { icon, tone, word, short };
}

const ADVICE = {
  no_answer: () => [
    t("The workstation does not answer: it is off, asleep, or its network is cut."),
    t("Look whether it is switched on. If it is, an administrator can check its address."),
  ],
  silent: () => [
    t("The VNC server took the connection and then stopped answering."),
    t("It is tried again by itself. If that lasts, restart the workstation."),
  ],
  unknown_host: () => [
    t("The name of the workstation is not known on the network."),
    t("An administrator can correct the address of the workstation, or the name service."),
  ],
  no_route: () => [
    t("No network leads from the server to the workstation."),
    t("An administrator can check the network between the two."),
  ],
  connection_refused: () => [
    t("The workstation answers, but no VNC server listens at this address."),
    t("An administrator can start the VNC server there, or correct the port."),
  ],
  closed: () => [
    t("The VNC server closes the connection."),
    t("It is tried again by itself. If that lasts, an administrator can restart the VNC server."),
  ],
  turned_away: () => [
    t("The VNC server turns EOP away, often after too many wrong passwords."),
    t("Wait a minute. If that lasts, an administrator can restart the VNC server."),
  ],
  wrong_password: () => [
    t("The VNC server refuses the password that EOP has for it."),
    t("An administrator can give the right one: eopctl workstation add --replace."),
  ],
  unsupported: () => [
    t("The VNC server offers no kind of sign-in that EOP knows."),
    t("An administrator can set it to VNC password authentication."),
  ],
  key_changed: () => [
    t("The VNC server shows another key than the one EOP knows: this may be another machine. Nothing was sent to it."),
    t("Tell an administrator, who finds out why before EOP forgets the former key."),
  ],
  unconfirmed: () => [
    t("The VNC server asks for the password, and nobody has confirmed its key. Nothing was sent to it."),
    t("An administrator can compare the key with the workstation and confirm it, on its page."),
  ],
  untrusted: () => [
    t("The VNC server does not prove that it is the one EOP knows. Nothing was sent to it."),
    t("An administrator can look into its certificate and its security types."),
  ],
  bad_server: () => [
    t("What answers at this address cannot be read as VNC."),
    t("An administrator can check that the port is the one of a VNC server."),
  ],
};

/** `{cause, who}`: why a workstation is not well, and who can do what. */
export function advice(reason) {
  const [cause, who] = ADVICE[reason?.code]?.() ?? [
    t("This workstation cannot be watched now."),
    t("It is tried again by itself. If that lasts, tell an administrator."),
  ];
  return { cause, who };
}

/** The details one copies for support: name, state and code, and what the server said. */
export function detailsOf(workstation) {
  const { code = "", ...rest } = workstation.reason ?? {};
  const lines = [`${workstation.name} (${workstation.id})`, `${workstation.state} ${code}`.trim()];
  for (const [name, value] of Object.entries(rest)) {
    lines.push(`${name}: ${value}`);
  }
  return lines.join("\n");
}

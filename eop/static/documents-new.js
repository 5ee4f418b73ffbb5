// The form that gives a document: its folder, its students, its files, and to how many it goes.

import { pageData } from "./api.js";
import { UploadList } from "./upload-list.js";
import { t } from "./words.js";

const TIMEOUT_MS = 10_000;

const page = pageData();
const form = document.getElementById("give");
const send = document.getElementById("send");
const label = document.getElementById("send-label");
const group = document.getElementById("class");
const students = document.getElementById("students");
const until = document.getElementById("until-field");
let files = { ready: 0, under_way: 0, failed: 0 };

function count() {
  if (form.elements.who.value === "some") {
    return students.querySelectorAll(":checked").length;
  }
  return Number(group.selectedOptions[0]?.dataset.students ?? 0);
}

function button(number) {
  if (number === 1) {
    return t("Give to 1 student");
  }
  return number > 0 ? t("Give to {n} students", { n: number }) : t("Give the document");
}

/** Why it cannot be sent yet; empty: it can. */
function missing() {
  if (files.under_way > 0) {
    return t("The files are still on their way.");
  }
  if (files.failed > 0) {
    return t("Remove the files that failed.");
  }
  return files.ready === 0 ? t("Add a document first.") : "";
}

function show() {
  const number = count();
  label.textContent = button(number);
  const why = missing();
  send.setAttribute("aria-disabled", String(why !== ""));
  send.title = why;
  const folder = `${form.elements.reference.value.trim()}${group.value}`;
  document.getElementById("folder").textContent = `${page.folder}${folder}`;
  students.hidden = form.elements.who.value !== "some";
  until.hidden = !form.elements.hidden.checked;
  form.elements.until.required = form.elements.hidden.checked;
}

async function loadStudents() {
  students.replaceChildren();
  if (group.value) {
    const address = `${page.students}?${new URLSearchParams({ class: group.value })}`;
    try {
      const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.ok) {
        const read = new DOMParser().parseFromString(await answer.text(), "text/html");
        students.replaceChildren(...[...read.body.children].map((one) => document.adoptNode(one)));
      }
    } catch {
      students.textContent = t("Connection to the server lost.");
    }
  }
  show();
}

if (form) {
  new UploadList(page, (counts) => {
    files = counts;
    show();
  });
  form.addEventListener("input", show);
  group.addEventListener("change", loadStudents);
  form.addEventListener("submit", (event) => {
    const why = missing();
    if (why) {
      event.preventDefault();
      document.getElementById("told").textContent = why;
    } else {
      label.textContent = t("Sending…");
    }
  });
  document.getElementById("error")?.scrollIntoView({ block: "nearest" });
  show();
}

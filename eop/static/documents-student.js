// Handing work in: files are sent up, then put into the folder of the document.

import { pageData } from "./api.js";
import { UploadList } from "./upload-list.js";
import { t } from "./words.js";

const form = document.getElementById("give");
const send = document.getElementById("send");
let files = { ready: 0, under_way: 0, failed: 0 };

function missing() {
  if (files.under_way > 0) {
    return t("The files are still on their way.");
  }
  if (files.failed > 0) {
    return t("Remove the files that failed.");
  }
  return files.ready === 0 ? t("Choose a file first.") : "";
}

if (form) {
  new UploadList(pageData(), (counts) => {
    files = counts;
    send.setAttribute("aria-disabled", String(missing() !== ""));
    send.title = missing();
  });
  form.addEventListener("submit", (event) => {
    if (missing()) {
      event.preventDefault();
      document.getElementById("told").textContent = missing();
    }
  });
}

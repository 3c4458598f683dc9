// Several files, by dropping or choosing: each with its name, kind and progress; rows join the documents table.
import { replaceParts } from "./parts.js";
import { renewToken, token } from "./post.js";

const TRIES = 4;

// Photos are made smaller by the server; the ending says what may be one.
const PHOTO = /\.(jpe?g|heic|heif|webp)$/i;
const IMAGE = /\.(jpe?g|png|heic|heif|webp)$/i;

function baseName(file) {
  return file.name.replace(/\.[^.]+$/, "").slice(0, 150);
}

function post(form, entry, onProgress) {
  const data = new FormData();
  data.append("csrf_token", token());
  data.append("files", entry.file);
  data.append("label", entry.name.value);
  data.append("kind", entry.kind.value);
  return new Promise((resolve) => {
    const call = new XMLHttpRequest();
    call.open("POST", form.dataset.upload);
    call.setRequestHeader("X-CSRFToken", token());
    call.setRequestHeader("Accept", "application/json");
    call.responseType = "json";
    call.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress((event.loaded / event.total) * 100);
    });
    call.addEventListener("loadend", () => resolve({ ...call.response, status: call.status, pause: call.getResponseHeader("Retry-After") }));
    call.send(data);
  });
}

// A server that reads too many files just now says when to come back.
async function postPatiently(form, entry, onProgress) {
  for (let tries = 1; ; tries++) {
    const answer = await post(form, entry, onProgress);
    if (tries === TRIES) return answer;
    if (answer.token) renewToken(answer.token);
    else if (answer.status !== 503 || !answer.pause) return answer;
    await new Promise((resolve) => setTimeout(resolve, Math.min(answer.pause ?? 0, 10) * 1000));
  }
}

function start(form) {
  const zone = form.querySelector(".drop-zone");
  const input = form.querySelector('input[type="file"]');
  const list = form.querySelector("[data-upload-list]");
  const template = form.querySelector("[data-upload-row]");
  const launch = form.querySelector("[data-upload-start]");
  const table = document.getElementById(form.dataset.target);
  const waiting = new Set();

  zone.classList.add("has-script");
  form.querySelector("[data-drop-text]").hidden = false;
  form.querySelector("[data-plain]").hidden = true;

  document.addEventListener("parts", () => {
    const kinds = form.querySelector("[data-plain] select").innerHTML;
    template.content.querySelector("[data-kind]").innerHTML = kinds;
  });

  function forget(entry) {
    waiting.delete(entry);
    entry.row.remove();
    launch.hidden = waiting.size === 0;
  }

  // A kind that is still missing, that no other waiting file has and that takes the file; else "other".
  function presetKind(file) {
    const chosen = new Set([...waiting].map((entry) => entry.kind.value));
    const fitting = IMAGE.test(file.name) ? "" : ":not([data-image])";
    const options = template.content.querySelectorAll(`[data-missing]${fitting}, [value=other]`);
    const missing = [...options].map((option) => option.value);
    return missing.find((kind) => !chosen.has(kind)) ?? missing.at(-1);
  }

  // What is too large is told at once, not after it went over a slow line.
  function tooLarge(file) {
    const limit = Number(PHOTO.test(file.name) ? form.dataset.photoLimit : form.dataset.limit);
    return file.size > limit * 1024 * 1024 ? form.dataset.tooLarge.replace("{limit}", limit) : "";
  }

  function add(file) {
    const row = template.content.firstElementChild.cloneNode(true);
    const entry = {
      file,
      row,
      name: row.querySelector("[data-name]"),
      kind: row.querySelector("[data-kind]"),
    };
    entry.name.value = baseName(file);
    entry.kind.value = presetKind(file) ?? entry.kind.value;
    row.querySelector("[data-drop]").addEventListener("click", () => {
      forget(entry);
      input.focus();
    });
    list.append(row);
    const fault = tooLarge(file);
    if (fault) fail(entry, fault);
    else waiting.add(entry);
    launch.hidden = waiting.size === 0;
    return entry;
  }

  function fail(entry, text) {
    entry.row.classList.add("is-failed");
    entry.row.querySelector("[data-state]").textContent = text;
    entry.row.querySelector("progress").value = 0;
    entry.row.querySelector("[data-drop]").disabled = false;
  }

  async function send(entry) {
    entry.row.classList.remove("is-failed");
    entry.row.querySelector("[data-state]").textContent = "";
    entry.row.querySelector("[data-drop]").disabled = true;
    const progress = entry.row.querySelector("progress");
    const answer = await postPatiently(form, entry, (percent) => (progress.value = percent));
    if (!answer.row_html) {
      fail(entry, answer.error ?? form.dataset.failed);
      return;
    }
    table?.querySelector("tbody").insertAdjacentHTML("beforeend", answer.row_html);
    replaceParts(answer.parts); // rows of waiting files then offer the kinds of now
    forget(entry);
    form.dispatchEvent(new CustomEvent("uploaded", { bubbles: true }));
  }

  async function sendAll() {
    const button = launch.querySelector("button");
    button.disabled = true;
    button.classList.add("is-busy");
    for (const entry of [...waiting]) await send(entry);
    button.disabled = false;
    button.classList.remove("is-busy");
  }

  function take(files) {
    const entries = [...files].map(add);
    entries[0]?.kind.focus();
  }

  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  launch.querySelector("button").addEventListener("click", sendAll);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (waiting.size) sendAll();
  });
  for (const type of ["dragenter", "dragover"]) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("is-over");
    take(event.dataTransfer.files);
  });
}

document.querySelectorAll("form[data-upload]").forEach(start);

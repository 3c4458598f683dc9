// A form with data-autosave saves itself: the whole form is posted some time after a change.
import { replaceParts } from "./parts.js";
import { post } from "./post.js";
import { forget, keep } from "./typed.js";

const PAUSE_MS = 1500;
const RETRY_MS = 15000;

function start(form) {
  const status = document.querySelector(`[data-autosave-status="${form.id}"]`);
  const words = status?.querySelector("span");
  const signIn = status?.querySelector("a");
  let timer = 0;
  let saving = null;
  let changed = false;
  let leaving = false;
  let isSignedOut = false;

  function tell(text, failed = false) {
    if (!status) return;
    status.classList.toggle("is-failed", failed);
    if (words) words.textContent = text;
  }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  }

  function save() {
    if (!saving && !leaving) saving = saveNow();
  }

  async function saveNow() {
    changed = false;
    if (status) tell(status.dataset.saving);
    try {
      await send();
    } catch {
      changed = true;
      tell(status?.dataset.failed ?? "", true);
      later(RETRY_MS);
    } finally {
      saving = null;
    }
    if (changed && !status?.classList.contains("is-failed")) later(PAUSE_MS);
  }

  async function send() {
    const answer = await post(form.dataset.autosave, new FormData(form));
    isSignedOut = answer.status === 401;
    if (signIn) signIn.hidden = !isSignedOut;
    if (isSignedOut) {
      keep(form);
      tell("", true);
      return;
    }
    forget();
    if (answer.status === 409) {
      // Somebody else changed it: saving by hand shows both, trying again would not help.
      const fault = await answer.json().catch(() => ({}));
      leaving = true;
      tell(fault.error ?? "", true);
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const body = await answer.json();
    keepVersions({ version: body.version, ...body.versions });
    replaceParts(body.parts);
    tell(body.saved_at_label);
  }

  // The server may count versions of the drafts; the next sending of any form must carry the newest.
  function keepVersions(versions) {
    for (const [name, version] of Object.entries(versions)) {
      if (version === undefined) continue;
      for (const field of document.querySelectorAll(`input[type=hidden][name="${name}"]`)) field.value = version;
    }
  }

  // Fields outside the form belong to it by their form attribute; files have their own way.
  const isOurs = (field) => field.form === form && field.type !== "file";

  document.addEventListener("input", (event) => {
    if (!isOurs(event.target)) return;
    changed = true;
    if (isSignedOut) keep(form);
    if (!saving) later(PAUSE_MS);
  });
  document.addEventListener("change", (event) => {
    if (!isOurs(event.target)) return;
    changed = true;
    if (isSignedOut) keep(form);
    if (!saving) later(0);
  });
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    leaving = true;
    clearTimeout(timer);
    if (!saving) return;
    // What is being saved counts a version up; the form is sent with that one.
    event.preventDefault();
    saving.then(() => form.requestSubmit(event.submitter));
  });
  // The other forms of the page are sent with the version that the last save made.
  window.addEventListener(
    "submit",
    async (event) => {
      const { target, submitter } = event;
      if (target === form || leaving || isSignedOut || (!changed && !saving) || !target.elements.version) return;
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(timer);
      await saving;
      if (changed) await saveNow();
      changed = false;
      target.requestSubmit(submitter);
    },
    true,
  );
  // What was typed a moment ago is saved before a link leads away.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    if (event.defaultPrevented || !link || link.target || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (leaving || isSignedOut || (!changed && !saving)) return;
    event.preventDefault();
    clearTimeout(timer);
    await saving;
    if (changed) await saveNow();
    if (leaving) return;
    if (changed) keep(form);
    location.assign(link.href);
  });
  window.addEventListener("pageshow", () => (leaving = false));
  // Who signed in again in another tab goes on where they were.
  document.addEventListener("visibilitychange", () => {
    if (isSignedOut && !document.hidden) save();
  });
}

document.querySelectorAll("form[data-autosave]").forEach(start);

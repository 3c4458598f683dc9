// Dates typed as day, month and year: tells them in words, and offers the browser's calendar.
const LOCALE = document.documentElement.lang === "ar" ? "ar-u-ca-gregory-nu-latn" : "en-GB";
const WORDS = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const SHAPES = [
  /^(?<d>\d{1,2})[/.-](?<m>\d{1,2})[/.-](?<y>\d{4})$/,
  /^(?<y>\d{4})[/.-](?<m>\d{1,2})[/.-](?<d>\d{1,2})$/,
];

// The same dates as the server takes; null for all else.
function read(typed) {
  const text = typed
    .normalize("NFKC")
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => digit.charCodeAt(0) & 15)
    .replace(/[\u2010-\u2014\u2212]/g, "-")
    .replace(/[\s\p{Cf}]/gu, "");
  const parts = SHAPES.map((shape) => shape.exec(text)?.groups).find(Boolean);
  if (!parts) return null;
  const day = new Date(Date.UTC(parts.y, parts.m - 1, parts.d));
  const isReal = day.getUTCMonth() === parts.m - 1 && parts.y >= 1900 && parts.y < 2200;
  return isReal ? day : null;
}

function start(place) {
  const box = place.querySelector("input");
  const button = place.querySelector("[data-day-calendar]");
  const words = document.getElementById(`${box.id}-words`);

  function tell() {
    const day = read(box.value);
    const text = day ? WORDS.format(day) : "";
    if (words.textContent !== text) words.textContent = text;
  }

  box.addEventListener("input", tell);
  window.addEventListener("pageshow", tell);
  tell();
  if ("showPicker" in HTMLInputElement.prototype) offerCalendar(place, box, button);
}

function offerCalendar(place, box, button) {
  const calendar = document.createElement("input");
  Object.assign(calendar, { type: "date", className: "day-calendar", tabIndex: -1, ariaHidden: "true" });
  calendar.min = box.dataset.min ?? "";
  calendar.max = box.dataset.max ?? "";
  // Only the box belongs to the form: what happens in the calendar is told through it.
  for (const kind of ["input", "change"]) {
    calendar.addEventListener(kind, (event) => event.stopPropagation());
  }
  calendar.addEventListener("change", () => {
    if (!calendar.value) return;
    box.value = calendar.value.split("-").reverse().join("/");
    for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, { bubbles: true }));
    box.focus();
  });
  button.addEventListener("click", () => {
    calendar.value = read(box.value)?.toISOString().slice(0, 10) ?? "";
    calendar.showPicker();
  });
  place.append(calendar);
  button.hidden = false;
}

document.querySelectorAll("[data-day]").forEach(start);

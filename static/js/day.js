// Dates and times in text boxes: tells them in words, and offers the browser's calendar for dates.
const IS_ARABIC = document.documentElement.lang === "ar";
const LOCALE = IS_ARABIC ? "ar-u-ca-gregory-nu-latn" : "en-GB";
const WORDS = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const HALVES = IS_ARABIC ? ["ص", "م"] : ["am", "pm"];
const COMMA = IS_ARABIC ? "، " : ", ";
const SHAPES = [
  /^(?<d>\d{1,2})[/.-](?<m>\d{1,2})[/.-](?<y>\d{4})$/,
  /^(?<y>\d{4})[/.-](?<m>\d{1,2})[/.-](?<d>\d{1,2})$/,
  /^(?<d>\d{2})(?<m>\d{2})(?<y>\d{4})$/,
];
const TIME = /^(\d{1,2})(?:[:.]?(\d{2})(?:[:.]00)?)?([^\d:]*)$/;
const DAY_AND_TIME = /^([\d/.-]+)(?:[ t,،]|at|الساعة)+(\d.*)$/;
const MORNING = ["am", "ص", "صباحا"];
const EVENING = ["pm", "م", "مساء"];

// The functions below take the same texts as the server does, and return null for all else.
function cleaned(typed) {
  return typed
    .normalize("NFKC")
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => digit.charCodeAt(0) & 15)
    .replace(/[\u2010-\u2014\u2212]/g, "-")
    .replace(/\p{Cf}/gu, "")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase();
}

function readDay(text) {
  const parts = SHAPES.map((shape) => shape.exec(text.replaceAll(" ", ""))?.groups).find(Boolean);
  if (!parts) return null;
  const day = new Date(Date.UTC(parts.y, parts.m - 1, parts.d));
  const isReal = day.getUTCMonth() === parts.m - 1 && parts.y >= 1900 && parts.y < 2200;
  return isReal ? day : null;
}

function readTime(text) {
  const [, hours, minutes, letters] = TIME.exec(text.replaceAll(" ", "")) ?? [];
  const half = letters?.replace(/[.\u064b]/g, "");
  const isMorning = MORNING.includes(half);
  if (half ? !isMorning && !EVENING.includes(half) : !minutes) return null;
  if (isMorning && hours > 12) return null;
  const hour = half && hours <= 12 ? (hours % 12) + (isMorning ? 0 : 12) : Number(hours);
  return hour < 24 && (minutes ?? 0) < 60 ? { hour, minute: minutes ?? "00" } : null;
}

// The texts of a day and of the time after it.
function split(text) {
  return DAY_AND_TIME.exec(text.replace(/ ?([-/.:]) ?/g, "$1"))?.slice(1) ?? [text, ""];
}

function tellDay(text) {
  const day = readDay(text);
  return day && WORDS.format(day);
}

function tellTime(text) {
  const time = readTime(text);
  return time && `${time.hour % 12 || 12}:${time.minute} ${HALVES[Math.floor(time.hour / 12)]}`;
}

function tellInstant(text) {
  const [day, time] = split(text);
  return readDay(day) && readTime(time) && tellDay(day) + COMMA + tellTime(time);
}

const TELL = { day: tellDay, time: tellTime, instant: tellInstant };

export function start(place) {
  const box = place.querySelector("input");
  const button = place.querySelector("[data-day-calendar]");
  const words = document.getElementById(`${box.id}-words`);

  function tell() {
    const text = TELL[place.dataset.day](cleaned(box.value)) ?? "";
    if (words.textContent !== text) words.textContent = text;
  }

  box.addEventListener("input", tell);
  window.addEventListener("pageshow", tell);
  tell();
  if (button && "showPicker" in HTMLInputElement.prototype) offerCalendar(place, box, button);
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
    const day = calendar.value.split("-").reverse().join("/");
    // A time typed already stays; without one the box waits for it.
    box.value = place.dataset.day === "instant" ? `${day} ${split(cleaned(box.value))[1]}` : day;
    for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, { bubbles: true }));
    box.focus();
  });
  button.addEventListener("click", () => {
    calendar.value = readDay(split(cleaned(box.value))[0])?.toISOString().slice(0, 10) ?? "";
    calendar.showPicker();
  });
  place.append(calendar);
  button.hidden = false;
}

document.querySelectorAll("[data-day]").forEach(start);

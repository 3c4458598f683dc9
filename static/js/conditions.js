// Fields, fieldsets and cells with data-when show while their condition holds of what is typed; the
// same rules as clearance/services/conditions.py. Hidden fields are sent, and dropped by the server.
const DIGITS = /[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g;
const ORDERS = { at_least: [0, 1], at_most: [-1, 0], before: [-1], after: [1] };

// A typed value as the server reads it: null for nothing, or for what is no such value.
function valueOf(kind, typed) {
  const text = typed.replace(/[\u200e\u200f\u2066-\u2069]/g, "").trim().replace(DIGITS, (digit) => digit.charCodeAt(0) % 16 % 10);
  if (text === "") return null;
  if (kind === "number") return /^-?\d+$/.test(text) ? Number(text) : null;
  if (kind === "amount") {
    const sum = text.replaceAll("\u066b", ".").replace(/[\u066c\u060c]/g, ",");
    return /^(\d{1,9}|\d{1,3}(,\d{3}){1,2})(\.\d{1,3})?$/.test(sum) ? Number(sum.replaceAll(",", "")) : null;
  }
  if (kind === "date" || kind === "future_date") return dayOf(text);
  return text;
}

function dayOf(text) {
  const found = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$|^(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})$|^(\d{2})(\d{2})(\d{4})$/.exec(text.replace(/\s/g, ""));
  if (!found) return null;
  const [year, month, day] = found[1] ? [found[3], found[2], found[1]] : found[4] ? found.slice(4, 7) : [found[9], found[8], found[7]];
  const written = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const read = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(written) ? written : null;
}

const isEmpty = (value) => value === undefined || value === null || value === "" || value === false || (Array.isArray(value) && !value.length);

// -1, 0 or 1; null if the two cannot be compared.
function order(value, operand, values) {
  if (value === undefined || value === null || value === "" || Array.isArray(value)) return null;
  let other = typeof operand === "object" ? values[operand.field] : operand;
  if (other === undefined || other === null || Array.isArray(other)) return null;
  if (typeof value === "boolean" || typeof other === "boolean") {
    if (typeof value !== typeof other) return null;
  } else if (typeof value === "number") {
    other = typeof other === "string" && /^-?\d+(\.\d+)?$/.test(other) ? Number(other) : other;
    if (typeof other !== "number") return null;
  } else if (typeof other !== "string") {
    return null;
  }
  return value === other ? 0 : value < other ? -1 : 1;
}

function isAny(value, operands, values) {
  const each = Array.isArray(value) ? value : [value];
  return each.some((one) => operands.some((operand) => order(one, operand, values) === 0));
}

// Whether a condition is true of values, in which hidden fields are absent.
function holds(condition, values) {
  if (condition.all) return condition.all.every((part) => holds(part, values));
  if (condition.any) return condition.any.some((part) => holds(part, values));
  const value = values[condition.field];
  if ("filled" in condition) return isEmpty(value) !== condition.filled;
  if (condition.is) return isAny(value, condition.is, values);
  if (condition.is_not) return !isAny(value, condition.is_not, values);
  const name = Object.keys(ORDERS).find((key) => key in condition);
  const found = order(value, condition[name], values);
  return found !== null && ORDERS[name].includes(found);
}

function read(inputs, kind) {
  const boxes = [...inputs].filter((input) => input.type === "checkbox");
  if (kind === "choices") return boxes.filter((box) => box.checked).map((box) => box.value);
  if (boxes.length) return boxes[0].checked;
  const radio = [...inputs].find((input) => input.type === "radio" && input.checked);
  return valueOf(kind, (radio ?? inputs[0]).value);
}

// The rows in which something is filled in, each without what a condition hides in it.
function readRows(list, kinds, values) {
  const read = [...list.querySelectorAll("[data-row]")].map((row) => readCells(row, kinds, values));
  return read.filter((cells) => Object.values(cells).some((value) => !isEmpty(value)));
}

function readCells(row, kinds, values) {
  const cells = {};
  for (const part of row.querySelectorAll("[data-when], [name]")) {
    if (part.dataset.when) part.hidden = !holds(JSON.parse(part.dataset.when), { ...values, ...cells });
    const name = part.name?.split("-").at(-1);
    if (!(name in kinds) || name in cells || part.closest("[data-row] [data-when][hidden]")) continue;
    cells[name] = read(row.querySelectorAll(`[name="${CSS.escape(part.name)}"]`), kinds[name]);
  }
  return cells;
}

function update(root, { kinds, columns, known, prefix }) {
  const values = { ...known };
  // In the order of the page, in which a condition names earlier fields only.
  for (const part of root.querySelectorAll("[data-when], [name], [data-rows]")) {
    const { rows } = part.dataset;
    if (rows && !part.closest("[data-when][hidden]")) values[rows] = readRows(part, columns[rows], values);
    if (part.closest("[data-rows]")) continue;
    if (part.dataset.when) part.hidden = !holds(JSON.parse(part.dataset.when), values);
    const name = part.name?.startsWith(prefix) ? part.name.slice(prefix.length) : "";
    if (!(name in kinds) || name in values || part.closest("[data-when][hidden]")) continue;
    values[name] = read(root.querySelectorAll(`[name="${CSS.escape(part.name)}"]`), kinds[name]);
  }
  for (const group of root.querySelectorAll("fieldset.group:not([data-when])")) {
    const parts = [...group.querySelectorAll("[data-when]:not([data-rows] *)")];
    const isAlways = group.querySelector(".field:not([data-when] .field)");
    if (parts.length && !isAlways) group.hidden = parts.every((part) => part.hidden);
  }
}

// Shows and hides the parts of root now and with every change.
export function follow(root) {
  const about = JSON.parse(root.dataset.conditions);
  for (const kind of ["input", "change"]) root.addEventListener(kind, () => update(root, about));
  update(root, about);
}

document.querySelectorAll("[data-conditions]").forEach(follow);

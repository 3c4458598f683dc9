// A long select with data-lookup becomes an input that suggests rows as one types.
const PAUSE_MS = 250;

function replace(select, order) {
  const list = document.createElement("datalist");
  list.id = `lookup-${order}`;
  const partner = document.createElement("input");
  partner.type = "hidden";
  partner.name = select.name;
  partner.value = select.value;
  const input = document.createElement("input");
  input.className = "input";
  input.id = select.id;
  input.autocomplete = "off";
  input.setAttribute("list", list.id);
  for (const name of ["aria-describedby", "aria-invalid", "required"]) {
    if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  }
  input.value = select.selectedOptions[0]?.textContent ?? "";
  const url = new URL(select.dataset.lookup, location.href);
  select.replaceWith(input, partner, list);
  return { input, list, partner, url };
}

function start({ input, list, partner, url }) {
  const known = new Map();
  let timer = 0;

  async function suggest() {
    url.searchParams.set("query", input.value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    known.clear();
    for (const [id, label] of await answer.json()) known.set(label, id);
    list.replaceChildren(...[...known.keys()].map((label) => new Option(label, label)));
    partner.value = known.get(input.value) ?? "";
  }

  input.addEventListener("input", () => {
    partner.value = known.get(input.value) ?? "";
    clearTimeout(timer);
    if (!known.has(input.value)) timer = setTimeout(suggest, PAUSE_MS);
  });
}

[...document.querySelectorAll("select[data-lookup]")].map(replace).forEach(start);

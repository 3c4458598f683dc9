// Pictures of documents that a draft issues are drawn again after each save.
let count = 0;

document.addEventListener("parts", () => {
  count += 1;
  for (const picture of document.querySelectorAll("img[data-sample]")) {
    const url = new URL(picture.src);
    url.searchParams.set("drawn", count);
    picture.src = url;
  }
});

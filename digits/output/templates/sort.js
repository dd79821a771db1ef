for (const head of document.querySelectorAll("thead th")) {
  head.style.cursor = "pointer";
  head.title = "sort";
  head.addEventListener("click", () => {
    const column = [...head.parentNode.children].indexOf(head);
    const body = head.closest("table").tBodies[0];
    const text = row => row.children[column].innerText;
    const order = head.dataset.order = head.dataset.order === "1" ? "-1" : "1";
    const compare = new Intl.Collator("en", {numeric: true}).compare;
    body.append(...[...body.rows].sort((a, b) => order * compare(text(a), text(b))));
  });
}

const collator = new Intl.Collator("en", {numeric: true});

// The number that a cell begins with: "+0.5 (…)", "−12.0", "1,234", "about 1,200".
function numberOf(text) {
  const plain = text.replace(/\u2212/g, "-").replace(/,(?=\d{3})/g, "");
  return parseFloat(plain.replace(/^about /, ""));
}

// Numbers before texts, in their order or the reverse; empty cells last in both.
function compare(one, other, order) {
  if (!one || !other) return !one - !other;
  const numbers = [numberOf(one), numberOf(other)];
  const [known, alsoKnown] = numbers.map(n => !isNaN(n));
  if (known !== alsoKnown) return order * (alsoKnown - known);
  return order * ((known && numbers[0] - numbers[1]) || collator.compare(one, other));
}

for (const head of document.querySelectorAll("thead th")) {
  head.style.cursor = "pointer";
  head.title = "sort";
  head.addEventListener("click", () => {
    const column = [...head.parentNode.children].indexOf(head);
    const body = head.closest("table").tBodies[0];
    const text = row => row.children[column].innerText.trim();
    const order = head.dataset.order = head.dataset.order === "1" ? "-1" : "1";
    body.append(...[...body.rows].sort((a, b) => compare(text(a), text(b), order)));
  });
}

// What of a page overlaps, is cut or sticks out, measured on the boxes that its texts are drawn in.
() => {
  const found = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) found.push(`scrolls sideways: ${document.documentElement.scrollWidth} > ${width}`);
  const unseen = (element) => {
    if (!element.checkVisibility()) return true;
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.display === "none" || style.visibility === "hidden" || style.clipPath !== "none") return true;
      if (each.classList.contains("skip")) return true;
    }
    return false;
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || unseen(node.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      texts.push({ text: node.data.trim().slice(0, 40), element: node.parentElement, left: box.left, right: box.right, top: box.top + window.scrollY, bottom: box.bottom + window.scrollY });
      if (box.left < -0.5 || box.right > width + 0.5) found.push(`sticks out: ${node.data.trim().slice(0, 40)}`);
    }
  }
  texts.sort((a, b) => a.top - b.top);
  for (let i = 0; i < texts.length; i++) {
    const a = texts[i];
    for (let j = i + 1; j < texts.length && texts[j].top < a.bottom; j++) {
      const b = texts[j];
      if (a.element === b.element) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Lines of a paragraph touch by their leading; letters do not.
      const leading = 0.34 * Math.min(a.bottom - a.top, b.bottom - b.top);
      if (across > 1 && down > leading) found.push(`overlap: "${a.text}" and "${b.text}"`);
    }
  }
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    const style = getComputedStyle(element);
    if (unseen(element) || element.closest("svg")) continue;
    if (style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) found.push(`cut: ${element.className || element.tagName}`);
  }
  for (const picture of document.querySelectorAll("svg[role=img]")) {
    if (unseen(picture)) continue;
    const frame = picture.getBoundingClientRect();
    for (const text of picture.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        found.push(`runs out of its picture: ${text.textContent}`);
    }
  }
  return found;
}

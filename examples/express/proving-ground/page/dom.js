// @ts-check

// The few things that are done to the document, in few letters.

/** @param {string} id */
export function by(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} content
 */
export function create(name, attributes = {}, ...content) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...content);
  return node;
}

/**
 * Changes a text if it is another one: of live regions, only what is new is read out.
 * @param {string} id
 * @param {string} words
 */
export function set(id, words) {
  const node = by(id);
  if (node.textContent !== words) node.textContent = words;
}

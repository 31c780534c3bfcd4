// The contents' files: fetched once, kept in the browser where it may (https, or this machine), else in memory.

// The service worker reads the same cache.
const CACHE = "phiz-signage";

/** The browser's store for this page; null over plain HTTP from another machine, which browsers give none. */
export async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** Files of contents, by their addresses, which change with the files. */
export class Store {
  #urls = new Map(); // address of a content to the promise of an address in memory

  /** Fetch every content that is not there yet, one after another, fallbacks first; forget what is no content. */
  async keep(contents) {
    const first = [...contents].sort((one, other) => other.fallback - one.fallback);
    for (const content of first) await this.url(content).catch(() => {}); // tried again when it is shown
    const cache = await openCache();
    const wanted = new Set(contents.map(address));
    for (const { url } of (await cache?.keys()) ?? []) {
      if (url.includes("/signage/content/") && !wanted.has(url)) await cache.delete(url);
    }
  }

  /** An address of the content in memory. */
  url(content) {
    const from = address(content);
    if (!this.#urls.has(from)) {
      const made = file(from).then((blob) => URL.createObjectURL(blob));
      made.catch(() => this.#urls.delete(from));
      this.#urls.set(from, made);
    }
    return this.#urls.get(from);
  }
}

/** Where the service has a content. */
export function address({ path }) {
  return new URL(path, location.href).href;
}

async function file(from) {
  const cache = await openCache();
  let response = await cache?.match(from);
  if (!response) {
    response = await fetch(from);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    await cache?.put(from, response.clone()).catch(() => {}); // no room: in memory then
  }
  return response.blob();
}

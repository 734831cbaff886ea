// Questions to the local server. Each answer is JSON; an error says what happened and what to do.

export class Problem extends Error {
  constructor(message, hint, status) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

async function answer(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const content = type.startsWith("application/json") ? await response.json() : { error: await response.text() };
  if (!response.ok) throw new Problem(content.error || response.statusText, content.hint ?? "", response.status);
  return content;
}

async function fetched(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. Is `seedbed view` still running?", "", 0);
  }
}

export async function get(path, query, signal) {
  const text = query ? `?${query}` : "";
  for (let tries = 0; ; tries += 1) {
    try {
      return await answer(await fetched(path + text, { signal }));
    } catch (error) {
      if (error.status !== 503 || tries > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200)); // the index is being begun anew
    }
  }
}

export async function post(path, content) {
  return answer(await fetched(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
  }));
}

/** What an API answers. Throws, with what it said, unless that is 200. */
export async function readJson<Answer>(url: string): Promise<Answer> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 1_000)}`);
  return JSON.parse(text) as Answer;
}
